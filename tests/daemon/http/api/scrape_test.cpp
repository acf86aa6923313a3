#include "daemon/http/api/scrape.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "channels/wait_group.hpp"
#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

using testing::EndsWith;

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  inflateInit2(&stream, MAX_WBITS + 16);
  std::string text(1 << 20, '\0');
  std::string from = packed;
  stream.next_in = reinterpret_cast<unsigned char*>(from.data());
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<unsigned char*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

struct ScrapeTest : testing::Test, ApiWorld {
  // As Prometheus 2.42 asks.
  static Request by_prometheus() {
    Request request = get("/metrics");
    request.accept =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    request.accept_encoding = "gzip";
    return request;
  }
  Answer scrape(const Request& request) { return api.answer(request, caller(Access::full, false)); }
};

TEST_F(ScrapeTest, prometheus_gets_open_metrics) {
  const Response response = ask(by_prometheus());
  EXPECT_EQ(response.content_type, open_metrics_text);
  EXPECT_THAT(response.body, EndsWith("# EOF\n"));
}

TEST_F(ScrapeTest, who_would_rather_have_text_gets_text) {
  Request request = get("/metrics");
  for (const char* accept : {"", "*/*", "text/plain", "text/plain,application/openmetrics-text;q=0.5",
                             "application/openmetrics-text;q=0"}) {
    request.accept = accept;
    EXPECT_EQ(ask(request).content_type, prometheus_text) << accept;
  }
}

TEST_F(ScrapeTest, what_is_small_is_not_compressed) {
  const Response response = ask(by_prometheus());
  EXPECT_EQ(response.content_encoding, "");
  EXPECT_EQ(response.vary, "Accept, Accept-Encoding");
}

TEST_F(ScrapeTest, what_is_large_is_compressed_in_another_thread) {
  metrics.body.assign(100'000, 'x');
  Answer answer = scrape(by_prometheus());
  auto& deferred = std::get<std::unique_ptr<Deferred>>(answer);
  Response response;
  WaitGroup group(loop);
  spawn(group, "scrape", [](Deferred& what, Loop& on, Response& into) -> Task<void> {
    Context ctx(on);
    into = co_await what.perform(ctx);
  }(*deferred, loop, response));
  loop.run();
  EXPECT_EQ(response.content_encoding, "gzip");
  EXPECT_LT(response.body.size(), 1000U);
  EXPECT_EQ(unpacked(response.body), metrics.body + "# EOF\n");
}

TEST_F(ScrapeTest, whoever_comes_while_one_is_compressed_gets_it_as_it_is) {
  metrics.body.assign(100'000, 'x');
  const Answer first = scrape(by_prometheus());
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<Deferred>>(first));
  const Answer second = scrape(by_prometheus());
  ASSERT_TRUE(std::holds_alternative<Response>(second));
  EXPECT_EQ(std::get<Response>(second).content_encoding, "");
}

TEST_F(ScrapeTest, a_scrape_that_nobody_waited_for_lets_the_next_one_be_compressed) {
  metrics.body.assign(100'000, 'x');
  {
    const Answer left = scrape(by_prometheus());
  }
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<Deferred>>(scrape(by_prometheus())));
}

TEST_F(ScrapeTest, who_does_not_take_gzip_and_who_asks_for_the_head_alone_gets_it_as_it_is) {
  metrics.body.assign(100'000, 'x');
  Request request = by_prometheus();
  request.accept_encoding = "gzip;q=0, br";
  EXPECT_TRUE(std::holds_alternative<Response>(scrape(request)));
  request = by_prometheus();
  request.method = Method::head;
  EXPECT_TRUE(std::holds_alternative<Response>(scrape(request)));
}

}  // namespace
}  // namespace belfry::daemon::http
