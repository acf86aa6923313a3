// A request of HTTP/1.1 (RFC 9112) and what is made of the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/model/model.hpp"
#include "config/model/pattern.hpp"
#include "probes/protocols/dialogue.hpp"
#include "probes/protocols/http_answer.hpp"

namespace belfry::probes {

struct HttpRequest {
  std::string host;  // the field: "db:8080"
  std::string path;  // with the query
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool keep = false;  // the connection, for the next request
  bool plain = true;  // not within TLS
};

// What a good answer is.
struct HttpExpected {
  std::vector<std::pair<std::uint16_t, std::uint16_t>> statuses = {};  // inclusive; empty: 200-399
  std::optional<config::Pattern> body = {};
  std::optional<config::JsonExpectation> json = {};
  [[nodiscard]] bool needs_body() const { return body.has_value() || json.has_value(); }
};

// A redirect is an answer like any other, and is not followed. Where only the status matters the body is not
// waited for.
class HttpExchange final : public Dialogue {
 public:
  HttpExchange(const HttpRequest& request, HttpExpected expected);
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> ended() override;
  // The whole answer has come, the server keeps the connection, and a request that was lost because it did
  // not after all may be sent once more (RFC 9112, 9.3.1).
  [[nodiscard]] bool may_go_on() const override { return may_be_repeated_ && answer_.stays_open(); }

 private:
  // `last` is what came last.
  [[nodiscard]] Result<Step> judge(std::string_view last) const;

  std::string request_;
  HttpExpected expected_;
  bool is_head_;
  bool is_plain_;
  bool may_be_repeated_;
  HttpAnswerReader answer_;
};

}  // namespace belfry::probes
