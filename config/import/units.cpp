#include <algorithm>

#include "config/import/import.hpp"
#include "config/import/unit_service.hpp"
#include "config/import/unit_values.hpp"

namespace belfry::config {
namespace {

constexpr std::string_view header =
    "# From unit files. systemd runs services in / and starts none again unless its unit says so, and so do\n"
    "# `defaults` here. Its own limits of 90 s are not written: a start of belfry has none, a stop 10 s.\n";
constexpr std::string_view header_of_containers =
    "# belfry runs no images: a container is a command of podman, which stays in the foreground.\n";

// What each unit is called: by its stem, with its kind where a service has the stem already.
std::unordered_map<std::string, std::string> labels_of(const Units& units) {
  std::unordered_map<std::string, std::string> labels;
  std::unordered_set<std::string> taken;
  for (const bool services : {true, false})
    for (const Unit& unit : units.all()) {
      const bool service = unit.kind == "service" || unit.kind == "container";
      if (service != services || !becomes_service(unit)) continue;
      // Of a template without instances the name before the `@` is left.
      const std::string& stem = unit.is_template ? unit.prefix : unit.stem;
      std::string label = service ? stem : stem + (unit.kind == "target" ? "" : "-" + unit.kind);
      if (!taken.insert(label).second) taken.insert(label = stem + "." + unit.kind);
      labels.emplace(unit.name, std::move(label));
    }
  return labels;
}

// The files of Quadlet that a container names.
void read_needs(const Units& units, Specifiers& specifiers, Carrier& carrier, UnitEdges& edges) {
  for (const Unit& unit : units.all()) {
    if (unit.kind != "container") continue;
    for (const std::string_view key : {"Network", "Volume"})
      for (const UnitSetting* const at : unit.all("Container", key)) {
        const std::string name = specifiers.plain(unit, at->value().substr(0, at->value().find(':')));
        if (!name.ends_with(key == "Network" ? ".network" : ".volume")) continue;
        if (const Unit* const found = units.find(name))
          edges.needs(unit, *at, *found);
        else
          carrier.left(at->at(), "`" + std::string(key) + "=" + name + "`",
                       "the file is not there: name it as well, or make what it says with podman", unit.name);
      }
  }
}

// Units that become nothing here.
void list_others(const UnitSet& set) {
  for (const Unit& unit : set.units.all()) {
    if (becomes_service(unit) || unit.kind == "template") continue;
    if (unit.kind == "socket") {
      if (set.edges.that_runs(unit) == nullptr)
        set.carrier.left(unit.at, "the socket " + unit.name, "its service is not among the files");
      for (const UnitSetting& one : unit.settings) {
        const bool counts = one.section == "Socket" && !one.is_read && !one.value().empty();
        if (counts && set.edges.that_runs(unit) != nullptr)
          set.carrier.left(one.at(), "`" + std::string(one.key()) + "=`",
                           why_unit_key_is_left("Socket", one.key()), unit.name);
      }
      continue;
    }
    const bool timer = unit.kind == "timer";
    const bool podman =
        unit.kind == "pod" || unit.kind == "kube" || unit.kind == "image" || unit.kind == "build";
    set.carrier.left(
        unit.at, unit.name,
        timer    ? "say when in the service that it starts, as a oneshot: `schedule: {cron: \"0 3 * * *\"}`"
        : podman ? "belfry runs no images: write the command of podman that does it"
                 : "belfry has no counterpart of this kind of unit");
  }
}

}  // namespace

Imported import_units(std::span<const ImportFile> files) {
  Imported out;
  if (files.empty()) out.diagnostics.sources().emplace_back("no file", "");
  Units units(out.diagnostics, files);
  if (out.diagnostics.has_errors()) return out;
  Carrier carrier(out.diagnostics);
  Specifiers specifiers(carrier);
  units.instantiate(specifiers);
  UnitEdges edges(units, specifiers, carrier);
  read_needs(units, specifiers, carrier, edges);
  edges.open_circles();
  const std::unordered_map<std::string, std::string> labels = labels_of(units);
  if (labels.empty()) {
    out.diagnostics.error("no-services", units.all().empty() ? Span() : units.all().front().at,
                          "the files have no services", "name *.service, *.target or *.container files");
    return out;
  }
  // In the order of the files, which also decides who keeps a name that cleaning makes ambiguous.
  std::vector<std::string_view> written;
  for (const Unit& unit : units.all())
    if (const auto label = labels.find(unit.name); label != labels.end()) written.push_back(label->second);
  const Names names(written);
  std::unordered_map<const Unit*, std::vector<const Unit*>> sockets;
  for (const Unit& unit : units.all())
    if (unit.kind == "socket") sockets[edges.that_runs(unit)].push_back(&unit);
  UnitSet set{carrier, specifiers, units, edges, labels, names, sockets, {}, {}};
  const bool contained =
      std::ranges::any_of(units.all(), [](const Unit& one) { return one.kind == "container"; });
  std::string yaml = std::string(header) + std::string(contained ? header_of_containers : "") +
                     "defaults: {working_dir: /, restart: no}\nservices:\n";
  for (const Unit& unit : units.all())
    if (labels.contains(unit.name)) UnitService(set, unit).run().write(yaml);
  list_others(set);
  out.yaml = std::move(yaml);
  carrier.finish();
  return out;
}

}  // namespace belfry::config
