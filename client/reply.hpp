// An answer of the daemon.
#pragma once

#include <string>

namespace belfry::client {

struct Reply {
  int status = 0;
  std::string body;
};

}  // namespace belfry::client
