// Unit files of systemd and of Quadlet, with their drop-ins, as units by name.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/import/import.hpp"
#include "config/import/sections.hpp"
#include "config/import/writer.hpp"

namespace belfry::config {

struct UnitSetting {
  std::string section;
  Setting setting;
  mutable bool is_read = false;  // what nobody has read is listed at the end

  [[nodiscard]] std::string_view key() const { return setting.key; }
  [[nodiscard]] std::string_view value() const { return setting.value; }
  [[nodiscard]] const Span& at() const { return setting.at; }
};

// Text of a belfry file: what is known now, its `$` doubled, and `${…}` for what only its start knows.
using Filled = std::string;

struct Unit {
  std::string name;      // "api@eu.service"
  std::string stem;      // "api@eu"
  std::string kind;      // "service"
  std::string prefix;    // "api"
  std::string instance;  // "eu"
  bool is_template = false;
  std::string directory;  // absolute, of its file; empty if unknown
  Span at;                // its file
  std::vector<UnitSetting> settings;

  // The last one counts, unless it is empty, which takes back those before it. All of them are read by this.
  [[nodiscard]] const UnitSetting* last(std::string_view section, std::string_view key) const;
  // Those behind the last empty one.
  [[nodiscard]] std::vector<const UnitSetting*> all(std::string_view section, std::string_view key) const;
  [[nodiscard]] bool has(std::string_view section) const;
};

// What takes the place of `%i` and its like (systemd.unit(5)).
//
// Owner: one import, on its stack. Lifecycle: that. Cancellation: none; what it makes of a small file is
// bounded.
class Specifiers {
 public:
  explicit Specifiers(Carrier& carrier) : carrier_(carrier) {}
  // `text` of `at` in `unit` with its specifiers replaced. Those that nobody knows before the start are
  // listed.
  [[nodiscard]] Filled filled(const Unit& unit, const UnitSetting& at, std::string_view text);
  // The same where no `$` is an escape and variables of belfry make no sense: names of units.
  [[nodiscard]] std::string plain(const Unit& unit, std::string_view text);

 private:
  void replace(const Unit& unit, const UnitSetting* at, char specifier, std::string& out);
  Carrier& carrier_;
  std::size_t left_ = std::size_t{8} << 20U;  // bytes that specifiers may add
};

// `$` doubled.
[[nodiscard]] Filled dollars_doubled(std::string_view text);

// Owner: one import, on its stack. Lifecycle: units do not move once they are read.
// Cancellation: none.
class Units {
 public:
  // Reads all of them. What cannot be read is an error of `diagnostics`.
  Units(Diagnostics& diagnostics, std::span<const ImportFile> files);
  // Adds the instances of templates that others name: `api@eu.service`.
  void instantiate(Specifiers& specifiers);

  [[nodiscard]] const std::deque<Unit>& all() const { return units_; }
  // By its name, an alias, or as the service that Quadlet makes of it: `db.service` is `db.container`.
  [[nodiscard]] const Unit* find(std::string_view name) const;
  // The one of the same stem: the socket of a service.
  [[nodiscard]] const Unit* find(const Unit& unit, std::string_view kind) const;

 private:
  Unit& unit(std::string_view name, const Span& at, const ImportFile& file);
  void add(std::string name, std::size_t index);
  void read(Diagnostics& diagnostics, const ImportFile& file, bool drop_in);
  void read_aliases();

  std::deque<Unit> units_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

// The kinds whose files are read, by their suffix: "service", "container".
[[nodiscard]] bool is_unit_kind(std::string_view kind);

}  // namespace belfry::config
