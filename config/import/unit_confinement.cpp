// What a unit is allowed and given on the machine.
#include <algorithm>
#include <array>

#include "config/import/unit_service.hpp"
#include "config/import/unit_values.hpp"
#include "config/model/kernel_names.hpp"

namespace belfry::config {
namespace {

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

// "0-3" or "5" with its numbers in order and below 1024.
bool is_processor_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = unit_number(text.substr(0, dash), 0, 1023);
  if (dash == std::string_view::npos) return first.has_value();
  const auto last = unit_number(text.substr(dash + 1), 0, 1023);
  return first && last && *first <= *last;
}

}  // namespace

void UnitService::identity() {
  if (const UnitSetting* const at = one("WorkingDirectory")) {
    const std::string_view path = trimmed(at->value().substr(at->value().starts_with('-') ? 1 : 0));
    if (path.starts_with('/') || path.starts_with('%'))
      out_.key("working_dir", yaml_text(filled(*at, path)));
    else
      left(*at, "write the path of the directory");
  }
  for (const auto& [key, name] : {std::pair("User", "user"), std::pair("Group", "group")}) {
    // Quadlet gives them to the program in the container.
    if (unit_.kind == "container") break;
    if (const UnitSetting* const at = one(key)) out_.key(name, yaml_text(filled(*at)));
  }
  std::vector<std::string> groups;
  for (const UnitSetting* const at : every("SupplementaryGroups"))
    for (const std::string& word : unit_words(at->value())) groups.push_back(filled(*at, word));
  if (!groups.empty()) out_.key("supplementary_groups", yaml_list(groups));
  if (const UnitSetting* const at = one("UMask")) {
    const auto mode = unit_mode(at->value());
    if (mode)
      out_.key("umask", *mode);
    else
      left(*at, "it is octal, such as 0027");
  }
  number("Nice", "nice", -20, 19);
  number("OOMScoreAdjust", "oom_score_adj", -1000, 1000);
  processors();
  disk_priority();
}

void UnitService::number(std::string_view key, std::string_view name, std::int64_t least, std::int64_t most) {
  const UnitSetting* const at = one(key);
  if (at == nullptr) return;
  const auto value = unit_number(at->value(), least, most);
  if (value)
    out_.key(name, std::to_string(*value));
  else
    left(*at, "it is a number from " + std::to_string(least) + " to " + std::to_string(most));
}

void UnitService::processors() {
  std::vector<std::string> ranges;
  for (const UnitSetting* const at : every("CPUAffinity")) {
    std::string text(at->value());
    std::ranges::replace(text, ',', ' ');
    for (const std::string& word : unit_words(text)) {
      if (!is_processor_range(word)) {
        left(*at, "processors are numbers and ranges such as 0-3");
        break;
      }
      if (std::ranges::find(ranges, word) == ranges.end() && ranges.size() < 256) ranges.push_back(word);
    }
  }
  if (ranges.empty()) return;
  for (std::string& range : ranges) range = range.contains('-') ? "\"" + range + "\"" : range;
  out_.key("cpu_affinity", "[" + joined(ranges) + "]");
}

void UnitService::disk_priority() {
  const UnitSetting* const at = one("IOSchedulingClass");
  const UnitSetting* const level = one("IOSchedulingPriority");
  if (at == nullptr && level == nullptr) return;
  using Row = std::array<std::string_view, 3>;
  constexpr auto classes = std::to_array<Row>(
      {{"1", "realtime", "realtime"}, {"2", "best-effort", "best-effort"}, {"3", "idle", "idle"}});
  std::string_view of = "best-effort";
  if (at != nullptr) {
    const auto found = std::ranges::find_if(
        classes, [&](const Row& row) { return row[0] == at->value() || row[1] == at->value(); });
    if (found == classes.end())
      return at->value() == "none" || at->value() == "0" ? void()
                                                         : left(*at, "it is realtime, best-effort or idle");
    of = (*found)[2];
  }
  const auto number = level == nullptr ? std::nullopt : unit_number(level->value(), 0, 7);
  if (level != nullptr && !number) left(*level, "it is a number from 0 to 7");
  if (number && of != "idle")
    out_.mapping("io_priority", {"class: " + std::string(of), "level: " + std::to_string(*number)});
  else
    out_.key("io_priority", std::string(of));
}

void UnitService::limits() {
  std::vector<std::string> entries;
  for (const std::string_view name : limit_names()) {
    std::string key = "Limit" + std::string(name);
    std::ranges::transform(key.begin() + 5, key.end(), key.begin() + 5, [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (const UnitSetting* const at = one(key)) limit(*at, entries);
  }
  out_.mapping("rlimits", entries);
}

// `1024:4096`, `infinity`, bytes as `64M`, times of LimitCPU= as `1min`.
void UnitService::limit(const UnitSetting& at, std::vector<std::string>& entries) {
  const std::string_view key = at.key().substr(5);
  const auto value = [&](std::string_view text) -> std::optional<std::uint64_t> {
    if (text == "infinity") return std::numeric_limits<std::uint64_t>::max();
    if (key == "CPU" || key == "RTTIME") {
      // A number alone counts seconds of the one, microseconds of the other.
      if (const auto plain = unit_number(text, 0, 1'000'000'000'000))
        return static_cast<std::uint64_t>(*plain);
      const auto time = unit_time(text);
      if (!time || time->duration.empty()) return std::nullopt;
      return static_cast<std::uint64_t>(time->seconds * (key == "CPU" ? 1.0 : 1e6));
    }
    if (const auto plain = unit_number(text, 0, 1'000'000'000'000'000))
      return static_cast<std::uint64_t>(*plain);
    const bool count = key == "NOFILE" || key == "NPROC" || key == "NICE" || key == "RTPRIO" ||
                       key == "LOCKS" || key == "SIGPENDING";
    return count ? std::nullopt : unit_size(text);
  };
  const auto text = [](std::uint64_t number) {
    return number == std::numeric_limits<std::uint64_t>::max() ? "unlimited" : std::to_string(number);
  };
  const auto colon = at.value().find(':');
  const auto soft = value(at.value().substr(0, colon));
  const auto hard = colon == std::string_view::npos ? soft : value(at.value().substr(colon + 1));
  if (!soft || !hard || *soft > *hard) return left(at, "it is a number, or soft:hard");
  std::string name(key);
  std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  entries.push_back(
      name + ": " +
      (*soft == *hard ? text(*soft) : "{soft: " + text(*soft) + ", hard: " + text(*hard) + "}"));
}

void UnitService::cgroup() {
  std::vector<std::string> entries;
  const auto put = [&](std::string_view key, std::string_view name, auto&& read, std::string why) {
    const UnitSetting* const at = one(key);
    if (at == nullptr || at->value() == "infinity") return;
    if (const auto value = read(at->value()))
      entries.push_back(std::string(name) + ": " + *value);
    else
      left(*at, std::move(why));
  };
  put(
      "MemoryMax", "memory_max",
      [](std::string_view text) -> std::optional<std::string> {
        const auto bytes = unit_size(text);
        return bytes ? std::optional(size_text(*bytes)) : std::nullopt;
      },
      "it is a size such as 512M: belfry knows no share of the machine");
  put("CPUQuota", "cpu_max", unit_share, "it is a share of one processor such as 150%");
  put(
      "TasksMax", "pids_max",
      [](std::string_view text) -> std::optional<std::string> {
        const auto count = unit_number(text, 1, 4'194'304);
        return count ? std::optional(std::to_string(*count)) : std::nullopt;
      },
      "it is a number: belfry knows no share of the machine");
  out_.mapping("cgroup", entries);
}

// All of those lines as one set; `inverted` for `~`, which names what is taken away.
std::vector<std::string> UnitService::capabilities_of(std::string_view key, bool& inverted) {
  std::vector<std::string> names;
  for (const UnitSetting* const at : every(key)) {
    std::string_view text = at->value();
    const bool takes = text.starts_with('~');
    text.remove_prefix(takes ? 1 : 0);
    if (takes != inverted && !names.empty()) {
      left(*at, "another line of `" + std::string(key) + "=`",
           "write one list: what it has, or what it loses");
      continue;
    }
    inverted = takes;
    for (const std::string& name : unit_words(text)) {
      if (!capability_number(name))
        left(*at, "`" + name.substr(0, 60) + "` in `" + std::string(key) + "=`",
             "belfry knows no such capability");
      else if (std::ranges::find(names, name) == names.end())
        names.push_back(name);
    }
  }
  return names;
}

void UnitService::capabilities() {
  std::vector<std::string> entries;
  bool loses = false, no_ambient = false;
  const std::vector<std::string> bounding = capabilities_of("CapabilityBoundingSet", loses);
  std::vector<std::string> ambient = capabilities_of("AmbientCapabilities", no_ambient);
  if (no_ambient) ambient.clear();
  const bool written = std::ranges::any_of(unit_.settings, [](const UnitSetting& one) {
    return one.section == "Service" && one.key() == "CapabilityBoundingSet";
  });
  const auto is_bounded = [&](const std::string& name) {
    return std::ranges::any_of(bounding, [&](const std::string& other) {
      return capability_number(other) == capability_number(name);
    });
  };
  // What it cannot have it is not given.
  if (written) std::erase_if(ambient, [&](const std::string& name) { return is_bounded(name) == loses; });
  if (!bounding.empty()) entries.push_back((loses ? "drop: " : "bounding: ") + yaml_list(bounding));
  if (written && bounding.empty() && !loses) entries.emplace_back("drop: [all]");
  if (!ambient.empty()) entries.push_back("ambient: " + yaml_list(ambient));
  out_.mapping("capabilities", entries);
  if (is_on("NoNewPrivileges")) out_.key("no_new_privileges", "true");
}

void UnitService::directories(std::string_view key, std::string_view name) {
  std::vector<std::string> items;
  const UnitSetting* const mode_at = one(std::string(key) + "Mode");
  const auto mode = mode_at == nullptr ? std::nullopt : unit_mode(mode_at->value());
  if (mode_at != nullptr && !mode) left(*mode_at, "it is octal, such as 0750");
  for (const UnitSetting* const at : every(key))
    for (const std::string& word : unit_words(at->value())) {
      const auto colon = word.find(':');
      const Filled path = filled(*at, word.substr(0, colon));
      if (colon != std::string::npos)
        left(*at, "a symbolic link in `" + std::string(key) + "=`", "make it in pre_start");
      const bool fits = !path.empty() && !path.starts_with('/') && !path.ends_with('/') &&
                        path.size() < 200 && !("/" + path + "/").contains("/../") &&
                        !("/" + path + "/").contains("/./") && !path.contains("//") && items.size() < 32;
      const bool first = key != "RuntimeDirectory" || set_.directories.insert(path).second;
      if (!fits || !first)
        left(*at, fits ? "another service has it: it is removed with the first that stops"
                       : "it is a relative path");
      else
        items.push_back(mode ? "{name: " + yaml_text(path) + ", mode: " + *mode + "}" : yaml_text(path));
    }
  if (items.empty()) return;
  out_.key(name, items.size() == 1 && !mode ? items.front() : "[" + joined(items) + "]");
}

void UnitService::credentials() {
  std::vector<std::string> entries;
  std::unordered_set<std::string> taken;
  for (const UnitSetting* const at : every("LoadCredential")) {
    const auto colon = at->value().find(':');
    const std::string name(at->value().substr(0, colon));
    const bool path = colon != std::string_view::npos && at->value().substr(colon + 1).starts_with('/');
    if (!path || service_name(name) != name)
      left(*at, "belfry reads the file that an absolute path names");
    else if (taken.insert(name).second)
      entries.push_back(yaml_text(name) + ": " + yaml_text(filled(*at, at->value().substr(colon + 1))));
  }
  out_.mapping("credentials", entries);
}

std::string UnitService::writable() {
  std::vector<std::string> paths;
  for (const std::string_view key : {"ReadWritePaths", "ReadWriteDirectories"})
    for (const UnitSetting* const at : every(key))
      for (const std::string& word : unit_words(at->value())) {
        const auto start = std::min(word.find_first_not_of("-+"), word.size());
        const std::string path = word.substr(start);
        if (!path.starts_with('/') || paths.size() == 100) {
          left(*at, "`" + path.substr(0, 60) + "` in `" + std::string(key) + "=`",
               "100 absolute paths at most");
          continue;
        }
        if (word.substr(0, start).contains('-'))
          left(*at, "that `" + path.substr(0, 60) + "` may be missing", "what `writable` names must exist");
        paths.push_back(filled(*at, path));
      }
  return paths.empty() ? "" : yaml_list(paths);
}

void UnitService::sandbox() {
  std::vector<std::string> entries;
  const UnitSetting* const system = one("ProtectSystem");
  const UnitSetting* const home = one("ProtectHome");
  const UnitSetting* const tmp = one("PrivateTmp");
  const bool strict = system != nullptr && system->value() == "strict";
  if (strict) entries.emplace_back("read_only_root: true");
  if (system != nullptr && !strict && unit_boolean(system->value()) != false)
    left(*system, "`ProtectSystem=" + std::string(system->value().substr(0, 20)) + "`",
         "sandbox: {read_only_root: true, writable: […]} is the stricter one");
  const std::string paths = writable();
  if (strict && !paths.empty()) entries.push_back("writable: " + paths);
  if (tmp != nullptr && (unit_boolean(tmp->value()) == true || tmp->value() == "disconnected"))
    entries.emplace_back("private_tmp: true");
  if (is_on("PrivateNetwork")) entries.emplace_back("private_network: true");
  if (home != nullptr && (unit_boolean(home->value()) == true || home->value() == "tmpfs"))
    entries.emplace_back("protect_home: true");
  else if (home != nullptr && unit_boolean(home->value()) != false)
    left(*home, "`ProtectHome=read-only`", "protect_home: true hides it, read_only_root makes it read only");
  out_.mapping("sandbox", entries);
}

}  // namespace belfry::config
