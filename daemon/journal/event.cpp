#include "daemon/journal/event.hpp"

#include <array>

namespace belfry::daemon {

namespace {

constexpr std::array<std::string_view, event_kind_count> kind_names = {"state", "bell", "notice", "stack"};

}  // namespace

std::string_view name_of(EventKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::optional<EventKind> event_kind_named(std::string_view name) {
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind_names[i] == name) return static_cast<EventKind>(i);
  }
  return std::nullopt;
}

}  // namespace belfry::daemon
