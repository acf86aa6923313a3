// What is told of an answer that somebody else has given.
#pragma once

#include <cstdlib>
#include <string>

#include "text/escape.hpp"

namespace belfry::fuzz {

// It is of bounded length, and nothing that a terminal obeys.
inline void look_at(const std::string& told) {
  if (told.empty() || told.size() > 1024 || text::visible(told) != told) std::abort();
}

}  // namespace belfry::fuzz
