#include "config/import/unit.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/import/unit_values.hpp"

namespace belfry::config {
namespace {

constexpr std::size_t most_instances = 1000;
constexpr std::size_t most_copied = 100'000;  // settings of all instances together

std::string_view base_name(std::string_view path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// "api@eu.service" → stem, kind, prefix, instance.
void set_name(Unit& unit, std::string_view name) {
  const auto dot = name.find_last_of('.');
  unit.name = name;
  unit.stem = name.substr(0, dot);
  unit.kind = dot == std::string_view::npos ? "" : std::string(name.substr(dot + 1));
  const auto at = unit.stem.find('@');
  unit.prefix = unit.stem.substr(0, at);
  unit.instance = at == std::string::npos ? "" : unit.stem.substr(at + 1);
  unit.is_template = at != std::string::npos && unit.instance.empty();
}

std::string template_of(std::string_view name) {
  const auto at = name.find('@'), dot = name.find_last_of('.');
  if (at == std::string_view::npos || dot == std::string_view::npos || dot < at + 2) return {};
  return std::string(name.substr(0, at + 1)) + std::string(name.substr(dot));
}

// What Quadlet calls the service of each of its files.
std::string quadlet_service(const Unit& unit) {
  if (unit.kind == "container" || unit.kind == "kube") return unit.stem + ".service";
  for (const std::string_view kind : {"network", "volume", "pod", "image", "build"})
    if (unit.kind == kind) return unit.stem + "-" + unit.kind + ".service";
  return {};
}

// `\x2d` and `-` of an escaped name as the text it stands for.
std::string unescaped(std::string_view name) {
  std::string slashed(name);
  std::ranges::replace(slashed, '-', '/');
  const auto words = unit_words(slashed);
  return words.empty() ? std::string() : words.front();
}

}  // namespace

bool is_unit_kind(std::string_view kind) {
  constexpr auto kinds = std::to_array<std::string_view>(
      {"service", "socket", "target", "timer", "path", "mount", "automount", "swap", "slice", "scope",
       "device", "container", "network", "volume", "pod", "kube", "image", "build"});
  return std::ranges::find(kinds, kind) != kinds.end();
}

const UnitSetting* Unit::last(std::string_view section, std::string_view key) const {
  const UnitSetting* found = nullptr;
  for (const UnitSetting& one : settings) {
    if (one.key() != key || one.section != section) continue;
    one.is_read = true;
    found = one.value().empty() ? nullptr : &one;
  }
  return found;
}

std::vector<const UnitSetting*> Unit::all(std::string_view section, std::string_view key) const {
  std::vector<const UnitSetting*> found;
  for (const UnitSetting& one : settings) {
    if (one.key() != key || one.section != section) continue;
    one.is_read = true;
    if (one.value().empty())
      found.clear();
    else
      found.push_back(&one);
  }
  return found;
}

bool Unit::has(std::string_view section) const {
  return std::ranges::any_of(settings, [&](const UnitSetting& one) { return one.section == section; });
}

Filled dollars_doubled(std::string_view text) {
  Filled out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

Filled Specifiers::filled(const Unit& unit, const UnitSetting& at, std::string_view text) {
  Filled out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 1 < text.size() && left_ > 0)
      replace(unit, &at, text[++i], out);
    else
      out.append(text[i] == '$' ? 2 : 1, text[i]);
  }
  return out;
}

std::string Specifiers::plain(const Unit& unit, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 1 < text.size() && left_ > 0)
      replace(unit, nullptr, text[++i], out);
    else
      out += text[i];
  }
  return out;
}

void Specifiers::replace(const Unit& unit, const UnitSetting* at, char specifier, std::string& out) {
  const std::size_t before = out.size();
  const auto put = [&](std::string_view text) {
    out += at == nullptr ? std::string(text) : dollars_doubled(text);
  };
  // Of a template that nobody has an instance of, belfry's own environment says which.
  const bool open = unit.is_template && at != nullptr;
  constexpr std::string_view instance = "${INSTANCE:-main}";
  using Row = std::pair<char, std::string_view>;
  constexpr auto places = std::to_array<Row>({{'h', "${HOME:-/root}"},
                                              {'t', "${XDG_RUNTIME_DIR:-/run}"},
                                              {'S', "/var/lib"},
                                              {'C', "/var/cache"},
                                              {'L', "/var/log"},
                                              {'E', "/etc"},
                                              {'T', "/tmp"},
                                              {'V', "/var/tmp"},
                                              {'u', "${USER:-root}"}});
  const auto place = std::ranges::find(places, specifier, &Row::first);
  const auto dash = unit.prefix.find_last_of('-');
  if (specifier == '%')
    out += '%';
  else if (specifier == 'i' || specifier == 'I')
    open ? void(out += instance) : put(specifier == 'i' ? unit.instance : unescaped(unit.instance));
  else if (specifier == 'f' && open)
    out += "/" + std::string(instance);
  else if (specifier == 'f')
    put("/" + unescaped(unit.instance.empty() ? unit.prefix : unit.instance));
  else if (specifier == 'n' || specifier == 'N')
    put(specifier == 'n' ? unit.name : unit.stem);
  else if (specifier == 'p' || specifier == 'P')
    put(specifier == 'p' ? unit.prefix : unescaped(unit.prefix));
  else if (specifier == 'j' || specifier == 'J')
    put(dash == std::string::npos ? unit.prefix : unit.prefix.substr(dash + 1));
  else if ((specifier == 'y' || specifier == 'Y') && !unit.directory.empty())
    put(specifier == 'Y' ? unit.directory : unit.directory + "/" + unit.name);
  else if (place != places.end() && at != nullptr)
    out += place->second;
  else {
    put(std::string{'%', specifier});
    if (at != nullptr)
      carrier_.left(at->at(),
                    "`%" + printable(std::string(1, specifier)) + "` in `" + std::string(at->key()) + "=`",
                    "nobody knows it before the start: write its value", unit.name);
  }
  left_ -= std::min(left_, out.size() - before);
}

Units::Units(Diagnostics& diagnostics, std::span<const ImportFile> files) {
  // Drop-ins come behind what they are for, whatever the order of the names.
  for (const bool drop_ins : {false, true})
    for (const ImportFile& file : files)
      if (file.name.ends_with(".conf") == drop_ins) read(diagnostics, file, drop_ins);
  read_aliases();
}

void Units::add(std::string name, std::size_t index) { by_name_.emplace(std::move(name), index); }

Unit& Units::unit(std::string_view name, const Span& at, const ImportFile& file) {
  const auto known = by_name_.find(std::string(name));
  if (known != by_name_.end()) return units_[known->second];
  Unit& fresh = units_.emplace_back();
  set_name(fresh, name);
  fresh.directory = file.directory;
  fresh.at = at;
  add(fresh.name, units_.size() - 1);
  return fresh;
}

// Of two files of one name the first counts, as in systemd's own search; a drop-in is in `api.service.d`.
void Units::read(Diagnostics& diagnostics, const ImportFile& file, bool drop_in) {
  const auto number = add_text(diagnostics, file.name, file.text);
  if (!number) return;
  const Span at(*number, 0, 0);
  std::string_view name = base_name(file.name);
  if (drop_in) {
    const auto slash = file.name.find_last_of('/');
    name = slash == std::string::npos ? "" : base_name(std::string_view(file.name).substr(0, slash));
    if (name.ends_with(".d")) name.remove_suffix(2);
  }
  const bool known = by_name_.contains(std::string(name));
  if (known != drop_in)
    return diagnostics.warning("not-carried", at,
                               drop_in ? "the unit that this drop-in is for is not among the files"
                                       : "there is another file of this name: this one does not count",
                               drop_in ? "name its unit, too" : "");
  std::vector<Section> sections = read_sections(diagnostics, *number, SectionStyle::unit);
  Unit& of = unit(name, at, file);
  for (Section& section : sections)
    for (Setting& setting : section.settings) of.settings.push_back({section.name, std::move(setting)});
}

void Units::read_aliases() {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (const std::string service = quadlet_service(units_[i]); !service.empty()) add(service, i);
    for (const UnitSetting* const alias : units_[i].all("Install", "Alias"))
      for (const std::string& name : unit_words(alias->value())) add(name, i);
  }
}

void Units::instantiate(Specifiers& specifiers) {
  constexpr auto edges = std::to_array<std::string_view>(
      {"Wants", "Requires", "BindsTo", "Requisite", "PartOf", "After", "Upholds", "Also"});
  std::unordered_set<std::size_t> used;
  std::size_t copied = 0;
  // Instances that instances name count as well: the list grows while it is read.
  for (std::size_t i = 0; i < units_.size() && units_.size() < most_instances; ++i) {
    std::vector<std::string> named;
    for (const UnitSetting& one : units_[i].settings)
      if (std::ranges::find(edges, one.key()) != edges.end())
        for (const std::string& name : unit_words(one.value()))
          named.push_back(specifiers.plain(units_[i], name));
    for (const std::string& name : named) {
      const auto base = by_name_.find(template_of(name));
      if (by_name_.contains(name) || base == by_name_.end() || units_.size() >= most_instances) continue;
      copied += units_[base->second].settings.size() + 1;
      if (copied > most_copied) return;
      Unit copy = units_[base->second];
      set_name(copy, name);
      used.insert(base->second);
      units_.push_back(std::move(copy));
      add(name, units_.size() - 1);
    }
  }
  // A template that has instances is not a service itself.
  for (const std::size_t index : used) units_[index].kind = "template";
}

const Unit* Units::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &units_[found->second];
}

const Unit* Units::find(const Unit& unit, std::string_view kind) const {
  return find(unit.stem + "." + std::string(kind));
}

}  // namespace belfry::config
