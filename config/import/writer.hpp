// What the importers share: writing YAML, and reading foreign mappings key by key.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.hpp"

namespace belfry::config {

// `text` as a YAML scalar that every reader takes for that text.
[[nodiscard]] std::string yaml_text(std::string_view text);
// A number or duration as it is, anything else as yaml_text.
[[nodiscard]] std::string yaml_value(std::string_view text);
// The name of a service as a YAML key.
[[nodiscard]] std::string service_key(std::string_view name);
// `[a, "b c"]`.
[[nodiscard]] std::string yaml_list(std::vector<std::string> const& items);
// `name` with what cannot stand in the name of a service replaced by `_`.
[[nodiscard]] std::string service_name(std::string_view name);
// `text` as a regular expression that matches nothing else.
[[nodiscard]] std::string regex_quoted(std::string_view text);
// A command of a tool that runs it through a shell: a list of words if no shell is needed, else
// `[sh, -c, text]`, its `$` doubled so that the shell sees it.
[[nodiscard]] std::string shell_command(std::string_view line);

// The keys of one service, in the order in which they are added.
class ServiceWriter {
 public:
  explicit ServiceWriter(std::string name) : name_(std::move(name)) {}
  void key(std::string_view name, std::string value) {
    lines_.push_back(std::string(name) + ": " + std::move(value));
  }
  void mapping(std::string_view name, std::vector<std::string> const& entries);
  void comment(std::string_view text) { lines_.push_back("# " + printable(text)); }
  void write(std::string& out) const;
  [[nodiscard]] std::string const& name() const { return name_; }

 private:
  std::string name_;
  std::vector<std::string> lines_;
};

// Owner: one import, on its stack.
// Lifecycle: reads one foreign tree; remembers what has no counterpart.
// Cancellation: none.
class Carrier {
 public:
  explicit Carrier(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}
  // Says that `what` is left behind, and why.
  void left(Node const& node, std::string what, std::string why);
  // Lists; a text is a list of one.
  [[nodiscard]] static std::vector<std::string> texts(Node const& node);
  // `K=V` items or entries as `K: "V"` lines.
  [[nodiscard]] static std::vector<std::string> pairs(Node const& node);
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }

 private:
  Diagnostics& diagnostics_;
};

// Parses `text` into a mapping, or reports why it cannot be one.
[[nodiscard]] Node const* parse_foreign(Document& document, Diagnostics& diagnostics, std::string_view text,
                                        std::string file_name);

}  // namespace belfry::config
