// A probe while it is read, and which keys are options of one kind of it only.
#pragma once

#include <string_view>

#include "config/model/enum_names.hpp"

namespace belfry::config {

[[nodiscard]] inline bool is_probe_kind(std::string_view name) { return probe_kind_named(name).has_value(); }
// Whether `key` only means something beside one kind (`method` beside `http`).
[[nodiscard]] bool is_kind_option(std::string_view key);

// A probe while it is read: the kind may come after its options.
struct ProbeDraft {
  Probe probe;
  HttpExpectation http;
  bool http_written = false;
  unsigned kinds = 0;
};

}  // namespace belfry::config
