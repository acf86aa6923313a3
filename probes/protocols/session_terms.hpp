// As whom a session with a database begins, and whether within TLS.
#pragma once

#include <cstdint>
#include <string>

namespace belfry::probes {

enum class TlsWish : std::uint8_t {
  none,
  preferred,  // plain, where the server has none
  required,
};

struct SessionTerms {
  std::string user;
  std::string database = {};  // empty: none is named, and nothing is expected of one
  TlsWish tls = TlsWish::none;
};

}  // namespace belfry::probes
