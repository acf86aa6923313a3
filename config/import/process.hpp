// One process of a process-compose file on its way to a service of belfry. Used by process_compose.cpp only.
#pragma once

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
  // The entries of a `vars`; they hide those of the same name that were added before.
  void add(Node const& mapping);
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
  bool main_taken = false;
};

[[nodiscard]] ServiceWriter import_process(Carrier& carrier, Templates templates, Entry const& entry,
                                           ProcessFile& file);

}  // namespace belfry::config
