// `http: URL`: true when the answer is as expected (2xx or 3xx unless the file says otherwise).
#include <algorithm>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "channels/asio_bridge.hpp"
#include "config/document/confidential.hpp"
#include "config/model/pattern.hpp"
#include "probes/json_answer.hpp"
#include "probes/kinds.hpp"
#include "probes/local_owner.hpp"
#include "probes/target.hpp"

namespace belfry::probes {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr std::uint64_t largest_body = 1 << 20;

class HttpProbe final : public Probe {
 public:
  HttpProbe(Resolver& resolver, Target target, const config::HttpExpectation* expected,
            std::optional<config::Pattern> body, LocalOwner owner)
      : resolver_(resolver), target_(std::move(target)), body_(std::move(body)), owner_(std::move(owner)) {
    request_.version(11);
    request_.method_string("GET");
    request_.target(target_.path);
    request_.set(http::field::host, target_.text());
    request_.set(http::field::user_agent, "belfry");
    request_.set(http::field::connection, "close");
    if (expected == nullptr) return;
    request_.method_string(expected->method);
    for (const auto& [name, value] : expected->headers) request_.set(name, value);
    statuses_ = expected->statuses;
    json_ = expected->json;
  }

  Task<CheckResult> check(Context& ctx) override {
    Socket socket(ctx.loop().executor());
    CheckResult connected = co_await connect(ctx, socket, resolver_, target_);
    if (connected) connected = co_await owner_.judge(ctx, socket);
    if (!connected) co_return connected;
    const std::string what = "cannot get " + config::masked(target_.path) + " from " + target_.text();

    auto writing = http::async_write(socket, request_, asio::deferred);
    const auto [write_error, written] = co_await async(ctx, std::move(writing));
    if (write_error) co_return std::unexpected(connection_error(ctx, what, write_error));

    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(largest_body);
    parser.skip(request_.method() == http::verb::head);
    if (body_ || json_) {
      auto reading = http::async_read(socket, buffer, parser, asio::deferred);
      const auto [ec, n] = co_await async(ctx, std::move(reading));
      if (ec) co_return std::unexpected(connection_error(ctx, what, ec));
    } else {
      auto reading = http::async_read_header(socket, buffer, parser, asio::deferred);
      const auto [ec, n] = co_await async(ctx, std::move(reading));
      if (ec) co_return std::unexpected(connection_error(ctx, what, ec));
    }
    co_return judge(what, parser.get());
  }

 private:
  [[nodiscard]] CheckResult judge(const std::string& what,
                                  const http::response<http::string_body>& response) const {
    const unsigned status = response.result_int();
    const auto within = [status](const auto& range) {
      return status >= range.first && status <= range.second;
    };
    const bool good =
        statuses_.empty() ? status >= 200 && status < 400 : std::ranges::any_of(statuses_, within);
    if (!good) return std::unexpected(Error::failed(what + ": the answer was " + std::to_string(status)));
    if (body_ && !body_->occurs_in(response.body())) {
      return std::unexpected(Error::failed(what + ": the body does not match"));
    }
    if (json_) {
      if (auto why = judge_json(response.body(), *json_); !why.empty())
        return std::unexpected(Error::failed(what + ": " + why));
    }
    return {};
  }

  Resolver& resolver_;
  Target target_;
  http::request<http::empty_body> request_;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> statuses_;
  std::optional<config::Pattern> body_;
  std::optional<config::JsonExpectation> json_;
  LocalOwner owner_;
};

}  // namespace

Made make_http(Resolver& resolver, KernelQuestions questions, const config::Probe& spec,
               const ProbeContext& about) {
  auto target = parse_http_url(spec.target);
  if (!target) return std::unexpected(target.error());
  std::optional<config::Pattern> body;
  if (spec.http && !spec.http->body.empty()) {
    auto compiled = config::Pattern::compile(spec.http->body);
    if (!compiled)
      return std::unexpected(
          Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) +
                                          ": `body` is not a regular expression: " + compiled.error()));
    body = std::move(*compiled);
  }
  LocalOwner owner(questions, spec, about, target->port);
  return std::make_unique<HttpProbe>(resolver, std::move(*target), spec.http.get(), std::move(body),
                                     std::move(owner));
}

}  // namespace belfry::probes
