#include "config/import/unit_edges.hpp"

#include <algorithm>
#include <array>

#include "config/import/unit_values.hpp"

namespace belfry::config {
namespace {

// Milestones of the machine's own start: it is up when belfry starts.
constexpr auto milestones = std::to_array<std::string_view>({"network.target",
                                                             "network-online.target",
                                                             "network-pre.target",
                                                             "multi-user.target",
                                                             "default.target",
                                                             "graphical.target",
                                                             "basic.target",
                                                             "sysinit.target",
                                                             "local-fs.target",
                                                             "local-fs-pre.target",
                                                             "remote-fs.target",
                                                             "remote-fs-pre.target",
                                                             "nss-lookup.target",
                                                             "nss-user-lookup.target",
                                                             "time-sync.target",
                                                             "time-set.target",
                                                             "syslog.target",
                                                             "syslog.socket",
                                                             "sockets.target",
                                                             "timers.target",
                                                             "paths.target",
                                                             "shutdown.target",
                                                             "rescue.target",
                                                             "emergency.target",
                                                             "getty.target",
                                                             "graphical-session.target",
                                                             "swap.target",
                                                             "slices.target",
                                                             "user.slice",
                                                             "system.slice",
                                                             "dbus.service",
                                                             "dbus.socket",
                                                             "dbus.target",
                                                             "rpcbind.target",
                                                             "NetworkManager.service",
                                                             "reboot.target",
                                                             "poweroff.target",
                                                             "halt.target",
                                                             "umount.target",
                                                             "final.target",
                                                             "NetworkManager-wait-online.service",
                                                             "graphical-session-pre.target",
                                                             "auditd.service",
                                                             "network-online.service",
                                                             "nss-lookup.service",
                                                             "cloud-init.service",
                                                             "cloud-config.service"});

bool is_of_the_machine(std::string_view name) {
  return std::ranges::find(milestones, name) != milestones.end() || name.starts_with("systemd-") ||
         name.starts_with("cryptsetup") || name.starts_with("cloud-init") || name.ends_with(".mount") ||
         name.ends_with(".device") || name.ends_with(".slice");
}

}  // namespace

bool becomes_service(const Unit& unit) {
  constexpr auto kinds =
      std::to_array<std::string_view>({"service", "container", "network", "volume", "target"});
  return std::ranges::find(kinds, unit.kind) != kinds.end();
}

UnitEdges::UnitEdges(const Units& units, Specifiers& specifiers, Carrier& carrier)
    : units_(units), specifiers_(specifiers), carrier_(carrier) {
  for (const Unit& unit : units_.all()) read(unit);
}

void UnitEdges::read(const Unit& unit) {
  // A socket is up before its service: who comes after it comes after the service here.
  if (!becomes_service(unit)) return;
  relation(unit, "Unit", "After", false, [](UnitEdge& e) { e.is_ordered = true; });
  relation(unit, "Unit", "Before", true, [](UnitEdge& e) { e.is_ordered = true; });
  const Mark require = [](UnitEdge& e) { e.is_required = true; };
  for (const std::string_view key : {"Requires", "Requisite"}) relation(unit, "Unit", key, false, require);
  relation(unit, "Unit", "BindsTo", false, [](UnitEdge& e) { e.is_required = e.is_bound = true; });
  relation(unit, "Unit", "PartOf", false, [](UnitEdge& e) { e.is_part = true; });
  const Mark want = [](UnitEdge& e) { e.is_wanted = true; };
  for (const std::string_view key : {"Wants", "Upholds"}) relation(unit, "Unit", key, false, want);
  relation(unit, "Install", "WantedBy", true, want);
  relation(unit, "Install", "UpheldBy", true, want);
  relation(unit, "Install", "RequiredBy", true, require);
}

void UnitEdges::relation(const Unit& unit, std::string_view section, std::string_view key, bool reversed,
                         Mark mark) {
  for (const UnitSetting* const said : unit.all(section, key))
    for (const std::string& word : unit_words(said->value())) {
      const std::string name = specifiers_.plain(unit, word);
      const Unit* const named = units_.find(name);
      const Unit* const other = named == nullptr ? nullptr : that_runs(*named);
      if (other == nullptr)
        missing(unit, *said, name);
      else if (reversed)
        add(*other, unit, *said, unit, mark);
      else
        add(unit, *other, *said, unit, mark);
    }
}

const Unit* UnitEdges::that_runs(const Unit& unit) const {
  if (becomes_service(unit)) return &unit;
  if (unit.kind != "socket") return nullptr;
  const UnitSetting* const service = unit.last("Socket", "Service");
  const Unit* const found = service == nullptr ? units_.find(unit, "service") : units_.find(service->value());
  return found != nullptr && becomes_service(*found) ? found : nullptr;
}

void UnitEdges::missing(const Unit& unit, const UnitSetting& said, const std::string& name) {
  const std::string what = "`" + std::string(said.key()) + "=" + name + "`";
  // What is installed there is started because it is in the file.
  const bool installs = said.section == "Install";
  if (installs && is_of_the_machine(name)) return;
  if (is_of_the_machine(name)) {
    carrier_.left(said.at(), what, "the machine is up when belfry starts: order belfry.service behind it",
                  unit.name);
  } else {
    carrier_.left(said.at(), what,
                  "it is not among the files: name its file as well, or write a service of type external",
                  unit.name);
  }
}

void UnitEdges::add(const Unit& from, const Unit& to, const UnitSetting& said, const Unit& said_by,
                    Mark mark) {
  if (&from == &to) return;
  auto& edges = edges_[&from];
  const auto [known, fresh] = index_[&from].emplace(&to, edges.size());
  if (fresh) edges.push_back({&to, &said_by, &said, false, false, false, false, false});
  mark(edges[known->second]);
  // A target comes after what it wants unless it says otherwise.
  const UnitSetting* const defaults = from.last("Unit", "DefaultDependencies");
  if (from.kind == "target" && (defaults == nullptr || unit_boolean(defaults->value()).value_or(true)))
    edges[known->second].is_ordered = true;
}

void UnitEdges::needs(const Unit& unit, const UnitSetting& said, const Unit& to) {
  add(unit, to, said, unit, [](UnitEdge& e) { e.is_ordered = e.is_required = true; });
}

const std::vector<UnitEdge>& UnitEdges::of(const Unit& unit) const {
  static const std::vector<UnitEdge> none;
  const auto found = edges_.find(&unit);
  return found == edges_.end() ? none : found->second;
}

void UnitEdges::open_circles() {
  // In the order of the files, so that what is said of them has one.
  for (const Unit& from : units_.all())
    std::erase_if(edges_[&from], [&](const UnitEdge& edge) {
      // A part of a target goes down by its name; being wanted needs no edge, all of the file is started.
      const bool grouped = edge.is_part && edge.to->kind == "target";
      if (grouped)
        carrier_.left(edge.said->at(), "`PartOf=" + edge.to->name + "`",
                      "stopping a gate stops nobody else: name the services, or stop the stack", from.name);
      return !edge.is_ordered && !edge.is_required && !edge.is_bound && (!edge.is_part || grouped);
    });
  for (const Unit& unit : units_.all()) open_circles_from(unit);
}

// Depth first, without recursion: a chain may be as long as the files.
void UnitEdges::open_circles_from(const Unit& first) {
  if (done_.contains(&first)) return;
  std::vector<std::pair<const Unit*, std::size_t>> way{{&first, 0}};
  done_[&first] = false;
  while (!way.empty()) {
    auto& [unit, next] = way.back();
    auto& edges = edges_[unit];
    if (next == edges.size()) {
      done_[unit] = true;
      way.pop_back();
      continue;
    }
    const UnitEdge edge = edges[next];
    const auto [known, fresh] = done_.emplace(edge.to, false);
    if (fresh) {
      ++next;
      way.emplace_back(edge.to, 0);
    } else if (known->second) {
      ++next;
    } else {
      carrier_.left(
          edge.said->at(),
          "`" + std::string(edge.said->key()) + "=` between " + unit->name + " and " + edge.to->name,
          "it closes a circle: decide who comes first", edge.said_by->name);
      edges.erase(edges.begin() + static_cast<std::ptrdiff_t>(next));
    }
  }
}

}  // namespace belfry::config
