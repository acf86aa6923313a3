// One process of a process-compose file on its way to a service of belfry. Used by process_compose.cpp only.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/import/writer.hpp"

namespace belfry::config {

// Replaces `{{ .NAME }}`; what is not such a plain name stays and is reported.
class Templates {
 public:
  explicit Templates(Carrier& carrier) : carrier_(carrier) {}
  // The entries of a `vars`; they hide those of the same name that were added before. What is nested is
  // called `outer.inner`.
  void add(Node const& mapping, std::string_view outer = {});
  [[nodiscard]] std::string filled(Node const& node) const { return filled(node, node.text()); }
  // `text` is of `node`, where mistakes are reported.
  [[nodiscard]] std::string filled(Node const& node, std::string_view text) const;

 private:
  std::string value_of(std::string_view name, Node const& node, std::string_view whole) const;
  Carrier& carrier_;
  std::vector<std::pair<std::string, std::string>> variables_;
};

// What one process must know of the file it stands in.
struct ProcessFile {
  Names names;
  std::string directory;                    // absolute, or empty
  std::vector<std::string> shell;           // what runs a command
  std::set<std::string_view> awaited_ends;  // somebody waits for their end: oneshots
  std::set<std::string_view> awaited_ready;
  std::set<std::string_view> disabled;
  DoubleDollar double_dollar = DoubleDollar::escape;
  bool main_taken = false;
};

// What a probe must know of its process.
struct ProbeSource {
  Templates const& templates;
  std::vector<std::string> const& shell;
  DoubleDollar double_dollar;
  // Lists `what`, which stands at `at`.
  std::function<void(Node const& at, std::string what, std::string why)> left;
};

// The probe under `readiness_probe` or `liveness_probe`; empty if it looks at nothing.
[[nodiscard]] std::vector<std::string> import_probe(ProbeSource const& source, Entry const& entry, bool live);

// `text` seconds; empty for none and for 0, which there means the default. `bad` is set for what is no
// number.
[[nodiscard]] std::string seconds_value(std::string_view text, bool& bad);

[[nodiscard]] ServiceWriter import_process(Carrier& carrier, Templates templates, Entry const& entry,
                                           ProcessFile& file);

}  // namespace belfry::config
