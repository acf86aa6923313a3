// What a compose file takes from a service, or gives it: capabilities, groups, CPUs, what it sees of the
// machine.
#include <algorithm>

#include "config/import/compose_service.hpp"
#include "config/model/kernel_names.hpp"

namespace belfry::config {

namespace {

bool is_all(std::string_view name) { return name == "ALL" || name == "all"; }

// `/tmp:size=64m` is /tmp.
std::string_view place_of(std::string_view written) { return written.substr(0, written.find(':')); }

bool is_of_tmp(std::string_view place) {
  return place == "/tmp" || place == "/var/tmp" || place.starts_with("/tmp/") ||
         place.starts_with("/var/tmp/");
}

}  // namespace

void ComposeService::confinement() {
  capabilities();
  if (const Node* const groups = find("group_add"))
    out_.key("supplementary_groups", yaml_list(Carrier::texts(*groups)));
  if (const Node* const cpus = find("cpuset"); cpus != nullptr && !cpus->text().empty())
    out_.key("cpu_affinity", yaml_text(cpus->text()));
  sandbox();
}

// Those that a file names in both go: what belfry drops it cannot give.
void ComposeService::capabilities() {
  const auto names = [&](std::string_view key, bool all_makes_sense) {
    std::vector<std::string> known;
    const Node* const node = find(key);
    if (node == nullptr) return known;
    for (const std::string& name : Carrier::texts(*node)) {
      if (capability_number(name) || (is_all(name) && all_makes_sense))
        known.push_back(is_all(name) ? "all" : name);
      else if (is_all(name))
        left(*node, key, "a service of root has them all; name those that another user's needs");
      else
        left(*node, key, "belfry knows no such capability");
    }
    return known;
  };
  const std::vector<std::string> added = names("cap_add", false);
  std::vector<std::string> dropped = names("cap_drop", true);
  std::erase_if(dropped, [&](const std::string& name) {
    return std::ranges::any_of(
        added, [&](const std::string& other) { return capability_number(other) == capability_number(name); });
  });
  std::vector<std::string> entries;
  if (!dropped.empty()) entries.push_back("drop: " + yaml_list(dropped));
  if (!added.empty()) entries.push_back("ambient: " + yaml_list(added));
  out_.mapping("capabilities", entries);
}

void ComposeService::sandbox() {
  std::vector<std::string> entries;
  if (text("read_only") == "true") {
    out_.comment("decide: what does it write to? sandbox: {writable: [PATH]}, or a state_directory");
    entries.emplace_back("read_only_root: true");
  }
  if (text("network_mode") == "none") entries.emplace_back("private_network: true");
  const Node* const memory = find("tmpfs");
  const std::vector<std::string> places =
      memory == nullptr ? std::vector<std::string>() : Carrier::texts(*memory);
  const auto others =
      std::ranges::count_if(places, [](const auto& one) { return !is_of_tmp(place_of(one)); });
  if (others < std::ssize(places)) entries.emplace_back("private_tmp: true");
  if (others > 0)
    left(*memory, "tmpfs", "of these belfry has a private /tmp alone; or write runtime_directory: NAME");
  out_.mapping("sandbox", entries);
}

}  // namespace belfry::config
