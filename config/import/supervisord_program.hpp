// One program of supervisord on its way to a service of belfry. Used by supervisord.cpp only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/import/sections.hpp"
#include "config/import/writer.hpp"

namespace belfry::config {

// `[program:web]` with what stands in it; of two keys alike the last one counts.
struct Program {
  std::string type;  // program, fcgi-program
  std::string name;
  Span at;
  std::string directory;  // of its file
  std::string group;      // the group that it is in, else its own name
  std::vector<Setting> settings;

  [[nodiscard]] const Setting* find(std::string_view key) const;
  [[nodiscard]] std::string_view text(std::string_view key) const;
};

// `%(name)s` and its like in the texts of one program.
//
// Owner: one import, on its stack. Lifecycle: that. Cancellation: none; what it makes of a small file is
// bounded.
class Expressions {
 public:
  explicit Expressions(Carrier& carrier) : carrier_(carrier) {}
  // The values that stand for themselves: `program_name`; `process_num` is a number.
  struct Values {
    std::unordered_map<std::string_view, std::string> texts;
    std::unordered_map<std::string_view, long> numbers;
    bool counts = false;  // `process_num` is the number of a replica
  };
  // Text of a belfry file: `$` doubled, `%(ENV_X)s` as `${X}`.
  [[nodiscard]] std::string filled(const Setting& at, std::string_view text, const Values& values,
                                   std::string_view owner);

 private:
  [[nodiscard]] std::string value_of(const Setting& at, std::string_view name, std::string_view format,
                                     const Values& values, std::string_view owner, std::string_view whole);
  Carrier& carrier_;
  std::size_t left_ = std::size_t{8} << 20U;  // bytes that expressions may add
};

// `KEY="value",KEY=value`, in their order.
struct ReadPairs {
  std::vector<std::pair<std::string, std::string>> pairs;
  bool complete = true;  // false: something is left out that is no such item
};
[[nodiscard]] ReadPairs read_supervisord_pairs(std::string_view text);

struct ProgramSet {
  Carrier& carrier;
  Expressions& expressions;
  const Names& names;
  std::unordered_set<std::string> addresses;
};

// Carries one process of a program over, or all of them as replicas; `run` is called once.
class ProgramService {
 public:
  // `process`: the number of the one that is written; nothing for all of them.
  ProgramService(ProgramSet& set, const Program& program, std::string_view written,
                 std::optional<long> process);
  ServiceWriter run();

 private:
  void left(const Setting& at, std::string why) { left(at, "`" + at.key + "`", std::move(why)); }
  void left(const Setting& at, std::string what, std::string why);
  [[nodiscard]] std::string filled(const Setting& at) { return filled(at, at.value); }
  [[nodiscard]] std::string filled(const Setting& at, std::string_view text) {
    return set_.expressions.filled(at, text, values_, program_.name);
  }
  const Setting* take(std::string_view key);
  std::optional<bool> flag(std::string_view key);

  void command();
  void socket();
  void replicas();
  void environment();
  void restart();
  void retries(std::vector<std::string>& entries);
  void exit_codes();
  void stop();
  void identity();
  void log();
  void log_size(std::string_view stream, std::vector<std::string>& entries);
  void list_rest();

  ProgramSet& set_;
  const Program& program_;
  std::optional<long> process_;
  Expressions::Values values_;
  ServiceWriter out_;
  std::set<std::string_view> read_;
  bool oneshot_ = false;
};

// How many processes a program has; 1 if it does not say.
[[nodiscard]] long process_count(const Program& program);
// Whether the processes differ in what replicas cannot count: ports as `80%(process_num)02d`.
[[nodiscard]] bool differs_by_number(const Program& program);
// `numprocs_start`.
[[nodiscard]] long first_number(const Program& program);
[[nodiscard]] std::string why_supervisord_key_is_left(std::string_view key);

}  // namespace belfry::config
