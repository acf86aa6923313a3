// One process of a process-compose file on its way to a service of belfry. Used by process_compose.cpp only.
#pragma once

#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/import/extended.hpp"
#include "config/import/writer.hpp"

namespace belfry::config {

// Replaces `{{ .NAME }}`; what is not such a plain name stays and is reported.
class Templates {
 public:
  explicit Templates(Carrier& carrier) : carrier_(carrier) {}
  // The entries of a `vars`; they hide those of the same name that were added before. What is nested is
  // called `outer.inner`.
  void add(const Node& mapping, std::string_view outer = {});
  [[nodiscard]] std::string filled(const Node& node) const { return filled(node, node.text()); }
  // `text` is of `node`, where mistakes are reported.
  [[nodiscard]] std::string filled(const Node& node, std::string_view text) const;

 private:
  std::string value_of(std::string_view name, const Node& node, std::string_view whole) const;
  Carrier& carrier_;
  std::vector<std::pair<std::string, std::string>> variables_;
};

// What one process must know of the file it stands in.
struct ProcessFile {
  Carrier& carrier;
  Extended& extended;
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
  const Templates& templates;
  const std::vector<std::string>& shell;
  DoubleDollar double_dollar;
  // Lists `what`, which stands at `at`.
  std::function<void(const Node& at, std::string what, std::string why)> left;
};

struct ImportedProbe {
  std::vector<std::string> entries;  // empty if it looks at nothing
  // How long a readiness probe may fail until the process is stopped; empty if variables decide.
  std::string patience;
};

// What stands under `readiness_probe` or `liveness_probe`.
[[nodiscard]] ImportedProbe import_probe(const ProbeSource& source, const Entry& entry, bool live);

// `text` seconds; empty for none and for 0, which there means the default. `bad` is set for what is no
// number.
[[nodiscard]] std::string seconds_value(std::string_view text, bool& bad);

// Carries one process over; `run` is called once.
class Process {
 public:
  Process(ProcessFile& file, Templates templates, const Entry& entry);
  ServiceWriter run();

 private:
  [[nodiscard]] std::string text(const Node* node) const;
  void left(const Entry& entry, std::string why) { left(*entry.key, entry.key->text(), std::move(why)); }
  void left(const Node& at, std::string_view what, std::string why);
  void known_only(const Node& node, std::string_view within, std::initializer_list<std::string_view> known);

  // What runs, and as what: process.cpp.
  [[nodiscard]] bool adds_to_its_base() const;
  void command();
  void words_of_command();
  void missing_command();
  [[nodiscard]] std::string shell(std::string_view line) const;
  void environment();
  void env_files();
  [[nodiscard]] std::string here(std::string_view path) const;
  void one(std::string_view name, const Entry& entry);
  static bool has_shape(std::string_view name, const Node& value);
  bool scalar(std::string_view name, const Entry& entry);
  bool flag(std::string_view name, const Entry& entry);
  void replicas(const Entry& entry);
  void exit_codes(const Entry& entry);
  void extends(const Entry& entry);
  std::string reason(std::string_view name) const;

  // When it starts, is ready, starts again and stops: process_lifecycle.cpp.
  void depends_on(const Node& value);
  std::string condition(const Node* written, std::string_view edge);
  void ready();
  void ready_and_restarted(const ImportedProbe& found);
  void live_while_ready();
  [[nodiscard]] const Node& key_of(std::string_view name) const;
  void live();
  // `again`: it has been read before, and what cannot be carried over is listed.
  ImportedProbe probe(std::string_view name, bool live, bool again = false);
  std::string seconds(const Node* node, std::string_view what);
  std::string policy(const Node* node);
  void availability();
  bool ends_the_stack(const Node& availability);
  void shutdown();
  void stop_option(const Entry& entry, std::vector<std::string>& entries);

  ProcessFile& file_;
  Templates templates_;
  const Node& key_;
  const Node* own_;   // as written
  const Node* node_;  // what is read: with its base, unless `extends` says the same
  ServiceWriter out_;
  bool oneshot_;
  bool extends_ = false;  // the rest comes from its base
};

}  // namespace belfry::config
