#include "channels/detail/die.hpp"

#include <cstdio>
#include <cstdlib>

namespace belfry::detail {

void say(std::string_view what, std::string_view name, std::string_view why) noexcept {
  std::fprintf(stderr, "belfry: cannot %.*s '%.*s': %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(name.size()), name.data(), static_cast<int>(why.size()), why.data());
  std::fflush(stderr);
}

void die(std::string_view what, std::string_view name, std::string_view why) noexcept {
  say(what, name, why);
  std::abort();
}

void die_in_two_lists() noexcept { die("put into a list", "link", "it is in one already"); }

}  // namespace belfry::detail
