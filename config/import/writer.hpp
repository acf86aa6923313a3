// What the importers share: writing YAML, and reading foreign mappings key by key.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/document/document.hpp"

namespace belfry::config {

// `text` as a YAML scalar that every reader takes for that text.
[[nodiscard]] std::string yaml_text(std::string_view text);
// A number or duration as it is, anything else as yaml_text.
[[nodiscard]] std::string yaml_value(std::string_view text);
// The name of a service as a YAML key.
[[nodiscard]] std::string service_key(std::string_view name);
// `[a, "b c"]`.
[[nodiscard]] std::string yaml_list(const std::vector<std::string>& items);
// `name` with what cannot stand in the name of a service replaced by `_`.
[[nodiscard]] std::string service_name(std::string_view name);
// A duration that belfry reads, as it is; empty for none and for 0, which elsewhere means the default.
// `bad` is set for what is neither a duration nor a variable.
[[nodiscard]] std::string duration_value(std::string_view text, bool& bad);
// Other tools count paths from the file's directory, belfry from the service's `working_dir`: `path` as
// belfry must read it. `directory` is the file's own, empty if unknown.
[[nodiscard]] std::string path_from(std::string_view working_dir, std::string_view path,
                                    std::string_view directory);
// `text` as a regular expression that matches nothing else.
[[nodiscard]] std::string regex_quoted(std::string_view text);
// What `$$` is in a command: an escape of the tool that stands for one `$`, or what a shell takes for its
// process id.
enum class DoubleDollar : std::uint8_t { escape, of_the_shell };
// A command of a tool that runs it through a shell: a list of words if no shell is needed, else
// `[sh, -c, text]`, its `$` doubled so that the shell sees it.
[[nodiscard]] std::string shell_command(std::string_view line, const std::vector<std::string>& shell,
                                        DoubleDollar double_dollar);

// The names that services get: cleaned, and distinct where cleaning makes two of them alike.
class Names {
 public:
  explicit Names(std::span<const std::string_view> written);
  // The keys of a mapping.
  explicit Names(const Node& services);
  // What the service written as `name` is called; a name that is not there is only cleaned.
  [[nodiscard]] std::string of(std::string_view name) const;
  [[nodiscard]] bool knows(std::string_view name) const { return names_.contains(name); }

 private:
  void add(std::string_view name);
  std::unordered_map<std::string_view, std::string> names_;
  std::unordered_set<std::string> taken_;
};

// The keys of one service, in the order in which they are added.
class ServiceWriter {
 public:
  // A name that had to be changed is told in a comment.
  ServiceWriter(std::string_view written, const Names& names);
  void key(std::string_view name, std::string value) {
    lines_.push_back(std::string(name) + ": " + std::move(value));
  }
  void mapping(std::string_view name, const std::vector<std::string>& entries);
  // A list of values that are YAML already, an item a line where one line would be long.
  void items(std::string_view name, const std::vector<std::string>& values);
  // Remembers what is not carried over; all of it is one comment at the end.
  void omit(std::string_view what, std::uint32_t line);
  void comment(std::string_view text) { lines_.push_back("# " + printable(text)); }
  void write(std::string& out) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::vector<std::string> lines_;
  std::string omitted_;
};

// Reads one foreign tree, and remembers what has no counterpart until `finish`, which says each thing once:
// what ten services have is one warning that names them, at the place where the first of them has it.
class Carrier {
 public:
  explicit Carrier(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}
  // `what` of the service `owner` is left behind, and why; no owner: of the file.
  void left(const Node& node, std::string what, std::string why, std::string_view owner = {}) {
    left(node.span(), std::move(what), std::move(why), owner);
  }
  void left(const Span& where, std::string what, std::string why, std::string_view owner = {});
  // So much is left that further problems are only counted: no use in finding words for them.
  [[nodiscard]] bool is_full() const { return left_.size() >= Diagnostics::most; }
  // To be called once, at the end.
  void finish();
  // Lists; a text is a list of one.
  [[nodiscard]] static std::vector<std::string> texts(const Node& node);
  // `K=V` items or entries as `K: "V"` lines; of two alike the last one counts. `absent` stands for a
  // value that is not there; `fill` is asked for the text of each value.
  using Fill = std::function<std::string(const Node& at, std::string_view text)>;
  [[nodiscard]] static std::vector<std::string> pairs(const Node& node, std::string_view absent = "null",
                                                      const Fill& fill = {});
  // What `pairs` passes over: items and values of another shape.
  [[nodiscard]] static std::vector<const Node*> unreadable_pairs(const Node& node);

 private:
  struct Left {
    Span where;
    std::string what, why;
    std::string owners;  // "`a`, `b`"
    std::unordered_set<std::string> owned_by;
    std::size_t more = 0;  // owners beyond those
    std::size_t count = 0;
  };
  Diagnostics& diagnostics_;
  std::vector<Left> left_;
  std::unordered_map<std::string, std::size_t> at_;  // what is the same for all its owners → index in left_
};

// Parses `text` into a mapping, or reports why it cannot be one.
// `document` should allow foreign tags.
[[nodiscard]] const Node* parse_foreign(Document& document, Diagnostics& diagnostics, std::string_view text,
                                        std::string file_name);

}  // namespace belfry::config
