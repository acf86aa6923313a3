// A request of HTTP/1.1 (RFC 9112) and what is made of the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/model/model.hpp"
#include "config/model/pattern.hpp"
#include "probes/protocols/dialogue.hpp"

namespace belfry::probes {

struct HttpRequest {
  std::string host;  // the field: "db:8080"
  std::string path;  // with the query
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// What a good answer is.
struct HttpAnswer {
  std::vector<std::pair<std::uint16_t, std::uint16_t>> statuses = {};  // inclusive; empty: 200-399
  std::optional<config::Pattern> body = {};
  std::optional<config::JsonExpectation> json = {};
  [[nodiscard]] bool needs_body() const { return body.has_value() || json.has_value(); }
};

class HttpExchange final : public Dialogue {
 public:
  static constexpr std::uint64_t largest_body = 1 << 20;

  HttpExchange(const HttpRequest& request, HttpAnswer expected);
  ~HttpExchange() override;
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> ended() override;
  [[nodiscard]] bool may_go_on() const override;

 private:
  struct Parser;
  [[nodiscard]] Result<Step> judge() const;

  std::string request_;
  HttpAnswer expected_;
  bool answer_has_no_body_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace belfry::probes
