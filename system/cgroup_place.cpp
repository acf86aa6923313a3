#include "system/cgroup_place.hpp"

#include <array>

#include "system/proc.hpp"

namespace belfry::system::cgroup {

namespace {

// The part before `mark`, which is taken off `rest` together with it.
std::string_view take(std::string_view& rest, std::string_view mark) {
  const std::size_t end = rest.find(mark);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + mark.size());
  return part;
}

// proc(5): blanks, tabs, newlines and backslashes of a path are written as \040 and so on.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out.push_back(
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// "0::/a/b" → "/a/b"
std::optional<std::string_view> path_in(std::string_view self_cgroup) {
  while (!self_cgroup.empty()) {
    std::string_view line = take(self_cgroup, "\n");
    if (!line.starts_with("0::/")) continue;
    line.remove_prefix(3);
    // Removed under us, or outside the cgroup namespace's root.
    if (line.ends_with(" (deleted)") || line.contains("/..")) return std::nullopt;
    return line;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> directory_from(std::string_view self_cgroup, std::string_view mountinfo) {
  const auto path = path_in(self_cgroup);
  if (!path) return std::nullopt;
  std::optional<std::string> found;
  while (!mountinfo.empty()) {
    std::string_view line = take(mountinfo, "\n");
    std::array<std::string_view, 5> fields;  // id, parent, device, root, mount point
    for (std::string_view& field : fields) field = take(line, " ");
    take(line, " - ");
    if (take(line, " ") != "cgroup2") continue;
    const std::string root = unescaped(fields[3]);
    std::string_view below = *path;
    if (root != "/") {
      if (!below.starts_with(root) || (below.size() > root.size() && below[root.size()] != '/')) continue;
      below.remove_prefix(root.size());
    }
    found = unescaped(fields[4]);  // the last one counts: it covers the others
    if (below.size() > 1) found->append(below);
  }
  return found;
}

std::optional<std::string> own_directory() {
  return directory_from(proc::read_file("/proc/self/cgroup"), proc::read_file("/proc/self/mountinfo"));
}

}  // namespace belfry::system::cgroup
