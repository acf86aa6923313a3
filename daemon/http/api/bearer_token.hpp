// The secret that lets a TCP client do what the control socket lets its owner do (RFC 6750).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::daemon::http {

// What an Authorization header proves.
enum class Proof : std::uint8_t {
  none,   // there is no such header, or it is of another scheme
  wrong,  // a token that is not ours
  right,
};

class BearerToken {
 public:
  // Nobody has it: every token is wrong.
  BearerToken() = default;
  // From the text of a token file: one token, with or without a line break behind it. Errors: it is too short
  // to be one, or no client could send it. They never show the text.
  static Result<BearerToken> parse(std::string_view text);

  [[nodiscard]] bool is_set() const { return !token_.empty(); }
  // Takes as long for a token that is wrong in its first character as for one that is wrong in its last.
  [[nodiscard]] Proof judge(std::string_view authorization) const;

 private:
  explicit BearerToken(std::string token) : token_(std::move(token)) {}
  std::string token_;
};

}  // namespace belfry::daemon::http
