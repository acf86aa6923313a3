// One unit on its way to a service of belfry. Used by units.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/import/unit_edges.hpp"
#include "config/import/unit_exec.hpp"

namespace belfry::config {

// What one unit must know of the set it stands in.
struct UnitSet {
  Carrier& carrier;
  Specifiers& specifiers;
  const Units& units;
  const UnitEdges& edges;
  // The names that services get, by the name of the unit.
  const std::unordered_map<std::string, std::string>& labels;
  const Names& names;
  const std::unordered_map<const Unit*, std::vector<const Unit*>>& sockets;  // by who is handed them
  std::unordered_set<std::string> directories;  // below /run: two services cannot have the same one
  std::unordered_set<std::string> addresses;    // of sockets
};

// Carries one unit over; `run` is called once.
class UnitService {
 public:
  UnitService(UnitSet& set, const Unit& unit);
  ServiceWriter run();

 private:
  // Nothing, and it is listed with that reason.
  void left(const UnitSetting& at, std::string why);
  void left(const UnitSetting& at, std::string_view what, std::string why);
  [[nodiscard]] const UnitSetting* one(std::string_view key) const { return unit_.last("Service", key); }
  [[nodiscard]] std::vector<const UnitSetting*> every(std::string_view key) const {
    return unit_.all("Service", key);
  }
  [[nodiscard]] Filled filled(const UnitSetting& at) const { return filled(at, at.value()); }
  [[nodiscard]] Filled filled(const UnitSetting& at, std::string_view text) const {
    return set_.specifiers.filled(unit_, at, text);
  }
  [[nodiscard]] std::vector<ExecLine> lines(std::string_view key);
  [[nodiscard]] bool is_on(std::string_view key) const;

  // What runs: unit_service.cpp.
  void notes();
  std::string type_of();
  void command();
  void bus();
  void hook(std::string_view key, std::string_view name);
  void check(const ExecLine& line);
  void reload();
  void stop_commands();
  void depends_on();
  void environment();
  void environment_files();

  // When it is ready, starts again and stops: unit_lifecycle.cpp.
  void readiness(const std::string& type);
  void start_timeout();
  void restart();
  [[nodiscard]] std::string restart_policy(const UnitSetting& at);
  void restart_limit(std::vector<std::string>& entries);
  void exit_codes();
  void stop();
  void messages();
  void output();
  void input();

  // What it is allowed and given: unit_confinement.cpp.
  void identity();
  void number(std::string_view key, std::string_view name, std::int64_t least, std::int64_t most);
  void processors();
  void disk_priority();
  void limits();
  void limit(const UnitSetting& at, std::vector<std::string>& entries);
  void cgroup();
  void capabilities();
  [[nodiscard]] std::vector<std::string> capabilities_of(std::string_view key, bool& inverted);
  void directories(std::string_view key, std::string_view name);
  void credentials();
  void sandbox();
  [[nodiscard]] std::string writable();

  // Sockets that systemd binds for it: unit_sockets.cpp.
  void sockets();
  void socket(const Unit& unit, std::vector<std::string>& listen);

  // What Quadlet makes of a container, a network, a volume: container.cpp.
  void container();
  void resource();

  // What nobody has read: unit_left.cpp.
  void list_rest();

  UnitSet& set_;
  const Unit& unit_;
  ServiceWriter out_;
  std::string type_;
  bool oneshot_ = false;
  std::vector<std::string> ready_;
  std::vector<OneCommand> after_stop_;  // what belfry has to do then, before the unit's own commands
  bool reloads_ = false;                // it has been said how
  std::string stop_signal_;
  std::vector<const Unit*> sockets_;
};

// Why a key is not carried over; for one that nobody knows, what it may have been meant to be.
[[nodiscard]] std::string why_unit_key_is_left(std::string_view section, std::string_view key);

}  // namespace belfry::config
