// The kinds of probes, and which keys are options of one kind only.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "config/model/model.hpp"

namespace belfry::config {

[[nodiscard]] std::optional<Probe::Kind> probe_kind_named(std::string_view name);
[[nodiscard]] std::vector<std::string_view> kind_names();
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
