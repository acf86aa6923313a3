// belfry_bench_http [ROUNDS]: reads one request and writes one response, with daemon/http/wire and with what
// Beast has for that, in turn and in one run; prints medians in nanoseconds and their ratio.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/parser.hpp"

namespace {

namespace beast = boost::beast::http;
namespace wire = belfry::daemon::http;
using Clock = std::chrono::steady_clock;

constexpr int repeats = 200;  // in each round: shorter than a time slice, so that few rounds are interrupted

// What kubelet, curl and Prometheus send is about like this.
constexpr std::string_view request =
    "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:9600\r\nUser-Agent: kube-probe/1.27\r\nAccept: */*\r\n"
    "Connection: keep-alive\r\n\r\n";
constexpr std::string_view date = "Fri, 20 Nov 2026 20:43:28 GMT";

void must(bool held) {
  if (!held) std::abort();
}

// As a session does: one parser for the whole connection.
void read_ours() {
  static wire::RequestParser parser({});
  parser.reset();
  std::size_t consumed = 0;
  must(parser.feed(request, consumed) == wire::ParseState::complete);
  must(parser.request().target == "/readyz");
}

// A request_parser reads one message, so each request has its own.
void read_beast() {
  beast::request_parser<beast::string_body> parser;
  parser.eager(true);
  boost::beast::error_code error;
  parser.put(boost::asio::const_buffer(request.data(), request.size()), error);
  must(!error && parser.is_done() && parser.get().target() == "/readyz");
}

std::string& output() {
  static std::string kept;
  kept.clear();
  return kept;
}

void write_ours() {
  std::string& out = output();
  const wire::Response response = wire::text(200, "ok\n");
  append_head(out, response, {.keep_alive = true, .http_1_0 = false, .date = date});
  out += response.body;
  must(out.size() > 100);
}

using BeastResponse = beast::response<beast::string_body>;

BeastResponse make_beast() {
  BeastResponse response(beast::status::ok, 11);
  response.set(beast::field::date, boost::beast::string_view(date.data(), date.size()));
  response.set(beast::field::content_type, "text/plain; charset=utf-8");
  response.set(beast::field::cache_control, "no-store");
  response.body() = "ok\n";
  response.prepare_payload();
  return response;
}

void serialise(BeastResponse& response) {
  std::string& out = output();
  beast::response_serializer<beast::string_body> serializer(response);
  boost::beast::error_code error;
  while (!serializer.is_done()) {
    std::size_t taken = 0;
    serializer.next(error, [&out, &taken](boost::beast::error_code&, const auto& buffers) {
      for (const boost::asio::const_buffer piece : boost::beast::buffers_range_ref(buffers)) {
        out.append(static_cast<const char*>(piece.data()), piece.size());
        taken += piece.size();
      }
    });
    must(!error);
    serializer.consume(taken);
  }
  must(out.size() > 100);
}

void write_beast() {
  BeastResponse response = make_beast();
  serialise(response);
}

// The best case: a response that was made before.
void serialise_beast() {
  static BeastResponse response = make_beast();
  serialise(response);
}

double nanoseconds(void (*work)()) {
  const auto start = Clock::now();
  for (int i = 0; i < repeats; ++i) work();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / repeats;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void compare(const char* what, void (*ours)(), void (*beasts)(), int rounds) {
  std::vector<double> own, other;
  for (int i = 0; i < rounds; ++i) {
    own.push_back(nanoseconds(ours));
    other.push_back(nanoseconds(beasts));
  }
  const double mine = median(own), theirs = median(other);
  std::printf("%-22s %8.0f ns %8.0f ns   1/%.1f\n", what, mine, theirs, theirs / mine);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1001;
  std::printf("%-22s %11s %11s   %s\n", "", "belfry", "Beast", "belfry/Beast");
  compare("read a request", read_ours, read_beast, rounds);
  compare("write a response", write_ours, write_beast, rounds);
  compare("… made before", write_ours, serialise_beast, rounds);
  return 0;
}
