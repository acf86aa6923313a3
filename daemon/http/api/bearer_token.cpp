#include "daemon/http/api/bearer_token.hpp"

#include <algorithm>
#include <cstddef>

namespace belfry::daemon::http {
namespace {

// Sixteen characters that were not chosen by chance are still 64 bits and more; `openssl rand -hex 16` makes
// 32.
constexpr std::size_t shortest = 16;

// RFC 6750 2.1, b64token.
bool may_stand_in_a_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~+/=").contains(c);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// Every character of `offered` is looked at, whatever came before it, so that the time says nothing of
// `secret` but that its length is another one.
bool same_in_constant_time(std::string_view offered, std::string_view secret) {
  unsigned difference = offered.size() == secret.size() ? 0U : 1U;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const char against = secret[i % secret.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(offered[i] ^ against));
  }
  return difference == 0;
}

}  // namespace

Result<BearerToken> BearerToken::parse(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() < shortest)
    return std::unexpected(Error(Error::Kind::invalid, "it holds " + std::to_string(text.size()) +
                                                           " characters, and a token has at least " +
                                                           std::to_string(shortest) +
                                                           " (`openssl rand -hex 32` makes one)"));
  if (!std::ranges::all_of(text, may_stand_in_a_token))
    return std::unexpected(Error(Error::Kind::invalid,
                                 "it holds something that no token may hold: letters, digits and -._~+/= are "
                                 "allowed, and one token on one line"));
  return BearerToken(std::string(text));
}

Proof BearerToken::judge(std::string_view authorization) const {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() < scheme.size() ||
      !equals_ignoring_case(authorization.substr(0, scheme.size()), scheme))
    return Proof::none;
  std::string_view offered = authorization.substr(scheme.size());
  while (offered.starts_with(' ')) offered.remove_prefix(1);
  return is_set() && same_in_constant_time(offered, token_) ? Proof::right : Proof::wrong;
}

}  // namespace belfry::daemon::http
