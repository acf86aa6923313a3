#include "daemon/http/api/page.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct PageTest : testing::Test, ApiWorld {
  static Request by_browser() {
    Request request = get("/", "text/html,application/xhtml+xml,*/*;q=0.8");
    request.accept_encoding = "gzip, deflate, br";
    return request;
  }
};

TEST_F(PageTest, a_browser_gets_the_dashboard_compressed) {
  const Response page = ask(by_browser());
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, text_html);
  EXPECT_EQ(page.content_encoding, "gzip");
  EXPECT_THAT(page.body, StartsWith("\x1f\x8b"));
  EXPECT_LE(page.body.size(), 150'000U);
}

TEST_F(PageTest, its_policy_lets_in_one_script_and_one_style_and_asks_nobody_else) {
  const Response page = ask(by_browser());
  EXPECT_THAT(std::string(page.policy), StartsWith("default-src 'none'; script-src 'sha256-"))
      << "one line, of directives between semicolons";
  EXPECT_THAT(std::string(page.policy), HasSubstr("style-src 'sha256-"));
  EXPECT_THAT(std::string(page.policy), HasSubstr("connect-src 'self'"));
  EXPECT_THAT(std::string(page.policy), HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(std::string(page.policy), Not(HasSubstr("unsafe")));
  EXPECT_THAT(std::string(page.policy), Not(HasSubstr("\n")));
}

TEST_F(PageTest, whoever_takes_no_gzip_is_told_how_to_ask) {
  for (const char* encoding : {"", "br", "gzip;q=0"}) {
    Request request = by_browser();
    request.accept_encoding = encoding;
    const Response refusal = ask(request);
    EXPECT_EQ(refusal.status, 406) << encoding;
    EXPECT_THAT(refusal.body, HasSubstr("curl --compressed"));
    EXPECT_EQ(refusal.vary, "Accept-Encoding");
  }
}

TEST_F(PageTest, who_may_not_read_the_api_does_not_get_the_page_either) {
  EXPECT_EQ(ask(by_browser(), Access::health_only, true).status, 403);
  EXPECT_EQ(ask(by_browser(), Access::read_only, true).status, 200);
  Request lured = by_browser();
  lured.host = "evil.example";
  EXPECT_EQ(ask(lured, Access::read_only, true).status, 403);
}

TEST_F(PageTest, the_stack_says_whether_commands_would_be_taken) {
  EXPECT_THAT(ask(get("/v1/services"), Access::full, false).body, HasSubstr(R"("may_command":true)"));
  EXPECT_THAT(ask(get("/v1/services"), Access::read_only, true).body, HasSubstr(R"("may_command":false)"));
}

}  // namespace
}  // namespace belfry::daemon::http
