// Who waits for whom in a set of unit files: requirement and order, which systemd keeps apart, as one edge.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/import/unit.hpp"

namespace belfry::config {

struct UnitEdge {
  const Unit* to = nullptr;
  const Unit* said_by = nullptr;  // where it is written: `Before=` stands in the other one
  const UnitSetting* said = nullptr;
  bool is_ordered = false, is_required = false, is_wanted = false;
  bool is_bound = false, is_part = false;
};

// Owner: one import, on its stack. Lifecycle: after the units. Cancellation: none.
class UnitEdges {
 public:
  UnitEdges(const Units& units, Specifiers& specifiers, Carrier& carrier);

  // The edges of `unit` that make a difference, without a circle among all of them.
  [[nodiscard]] const std::vector<UnitEdge>& of(const Unit& unit) const;
  // What runs for `unit`: of a socket its service; null for what is not carried over.
  [[nodiscard]] const Unit* that_runs(const Unit& unit) const;
  // A unit needs a file of Quadlet that it names outside of [Unit].
  void needs(const Unit& unit, const UnitSetting& said, const Unit& to);
  // To be called once all edges are known.
  void open_circles();

 private:
  using Mark = void (*)(UnitEdge&);
  void read(const Unit& unit);
  void relation(const Unit& unit, std::string_view section, std::string_view key, bool reversed, Mark mark);
  void add(const Unit& from, const Unit& to, const UnitSetting& said, const Unit& said_by, Mark mark);
  void missing(const Unit& unit, const UnitSetting& said, const std::string& name);
  void open_circles_from(const Unit& first);

  const Units& units_;
  Specifiers& specifiers_;
  Carrier& carrier_;
  std::unordered_map<const Unit*, std::vector<UnitEdge>> edges_;
  std::unordered_map<const Unit*, std::unordered_map<const Unit*, std::size_t>> index_;
  std::unordered_map<const Unit*, bool> done_;  // false: on the way that is being followed
};

// Whether it becomes a service of belfry.
[[nodiscard]] bool becomes_service(const Unit& unit);

}  // namespace belfry::config
