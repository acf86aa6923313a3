#include "system/proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "system/capabilities.hpp"
#include "system/clock.hpp"
#include "system/proc_stat.hpp"
#include "system/socket_walk.hpp"
#include "system/tree_walk.hpp"

namespace belfry::system::proc {

namespace {

std::string path_of(pid_t pid, std::string_view rest) {
  std::string path = "/proc/" + std::to_string(pid);
  path.append("/").append(rest);
  return path;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// f(directory fd, entry name) for each entry that starts with a digit.
template <class F>
void each_number_in(const std::string& path, F f) {
  std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') f(::dirfd(directory.get()), entry->d_name);
  }
}

bool is_in_group(gid_t group) {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  (void)::getgroups(static_cast<int>(groups.size()), groups.data());
  return ::getegid() == group || std::ranges::find(groups, group) != groups.end();
}

// One that only the kernel tells of.
bool is_hidden(pid_t pid) { return hides_others() && (::kill(pid, 0) == 0 || errno == EPERM); }

// Links of the form "pipe:[123]" in /proc/PID/fd.
std::vector<ino_t> inodes_of(pid_t pid, std::string_view prefix) {
  std::vector<ino_t> found;
  each_number_in(path_of(pid, "fd"), [&](int directory, const char* name) {
    char link[64];
    ssize_t length = ::readlinkat(directory, name, link, sizeof link);
    if (length <= 0) return;
    std::string_view text(link, static_cast<std::size_t>(length));
    if (!text.starts_with(prefix)) return;
    ino_t inode = 0;
    std::from_chars(text.data() + prefix.size(), text.data() + text.size(), inode);
    found.push_back(inode);
  });
  return found;
}

// True of who was started with an empty one. While execve builds the new image the kernel has no place for it
// yet, and has none any more once a process is dying: then both ends are zero (proc(5), env_start, env_end).
bool has_no_environment(pid_t pid) {
  const StatLine line(pid);
  const auto begin = line.number<std::uint64_t>(50);
  const auto end = line.number<std::uint64_t>(51);
  return begin && end && *end != 0 && *begin == *end;
}

}  // namespace

// Asked again by a child that was forked: its number is another one.
bool is_ours() {
  static pid_t asked_by = 0;
  static bool answer = false;
  const pid_t asks = ::getpid();
  if (std::exchange(asked_by, asks) == asks) return answer;
  char link[16];
  const ssize_t length = ::readlink("/proc/self", link, sizeof link);
  pid_t shown = 0;
  if (length > 0) std::from_chars(link, link + length, shown);
  answer = shown == asks;
  return answer;
}

bool hides_others() {
  static const bool answer = [] {
    if (!is_ours() || has_capability(CAP_SYS_PTRACE)) return false;
    const std::string mounts = read_file("/proc/self/mountinfo");
    const std::size_t mounted = mounts.rfind(" /proc ");  // the one on top
    const std::string_view line = std::string_view(mounts)
                                      .substr(0, mounts.find('\n', mounted))
                                      .substr(std::min(mounted, mounts.size()));
    const auto option = [&](std::string_view name) {
      const std::size_t at = line.find(name);
      return at == std::string_view::npos ? "" : std::string(line.substr(at + name.size()));
    };
    const std::string hidepid = option("hidepid=");
    const gid_t let_through = static_cast<gid_t>(std::atol(option("gid=").c_str()));
    return !hidepid.empty() && hidepid[0] != '0' && !hidepid.starts_with("off") && !is_in_group(let_through);
  }();
  return answer;
}

std::string read_file(const std::string& path) {
  std::string text;
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(file, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(got));
  ::close(file);
  return text;
}

void parse_pids(std::string_view text, std::vector<pid_t>& into) {
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    auto [after, error] = std::from_chars(at, end, pid);
    if (error == std::errc{}) into.push_back(pid);
    at = after + 1;
  }
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  if (!is_ours()) return children;
  std::string tasks = path_of(pid, "task");
  // Most processes have one thread, and its directory need not be listed: "." and ".." are the other two
  // links.
  struct stat info{};
  if (::stat(tasks.c_str(), &info) == 0 && info.st_nlink == 3) {
    parse_pids(read_file(tasks + "/" + std::to_string(pid) + "/children"), children);
    return children;
  }
  each_number_in(tasks, [&](int, const char* thread) {
    parse_pids(read_file(tasks + "/" + thread + "/children"), children);
  });
  return children;
}

std::vector<pid_t> all() {
  std::vector<pid_t> pids;
  each_number_in("/proc", [&](int, const char* name) { parse_pids(name, pids); });
  return pids;
}

bool has_network_of_its_own(pid_t pid) {
  struct stat own{};
  struct stat other{};
  return ::stat("/proc/self/ns/net", &own) == 0 && ::stat(path_of(pid, "ns/net").c_str(), &other) == 0 &&
         own.st_ino != other.st_ino;
}

std::vector<pid_t> descendants_of(std::vector<pid_t> roots) {
  TreeWalk walk(std::move(roots));
  for (std::size_t budget = SIZE_MAX; !walk.go_on(budget);) {
  }
  return walk.found();
}

std::optional<std::string> variable_of(pid_t pid, std::string_view name) {
  Variable found = look_up(pid, name);
  if (found.reading != Reading::has) return std::nullopt;
  return std::move(found.value);
}

Variable look_up(pid_t pid, std::string_view name) {
  if (!is_ours()) return {Reading::hidden, {}};
  errno = 0;
  const std::string environment = read_file(path_of(pid, "environ"));
  if (environment.empty()) {
    if (errno == EACCES || errno == EPERM || is_hidden(pid)) return {Reading::hidden, {}};
    return {has_no_environment(pid) ? Reading::lacks : Reading::undecided, {}};
  }
  std::string_view rest = environment;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return {Reading::has, std::string(entry.substr(name.size() + 1))};
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
  }
  return {Reading::lacks, {}};
}

std::vector<ino_t> pipes_of(pid_t pid) { return inodes_of(pid, "pipe:["); }

std::optional<uid_t> user_who_hides(pid_t pid) {
  char link[8];
  // The same right as for its descriptors, without walking through them.
  if (::readlink(path_of(pid, "cwd").c_str(), link, sizeof link) >= 0 || errno != EACCES) return std::nullopt;
  const std::string status = read_file(path_of(pid, "status"));
  const std::size_t line = status.find("\nUid:");
  if (line == std::string::npos) return std::nullopt;
  unsigned real = 0, effective = 0;
  if (std::sscanf(status.c_str() + line, "\nUid: %u %u", &real, &effective) != 2) return std::nullopt;
  return effective;
}

std::optional<pid_t> session_of(pid_t pid) {
  const pid_t session = ::getsid(pid);
  return session < 0 ? std::nullopt : std::optional(session);
}

pid_t group_of(pid_t pid) { return std::max<pid_t>(::getpgid(pid), 0); }

std::optional<pid_t> parent_of(pid_t pid) { return StatLine(pid).number<pid_t>(4); }

std::uint64_t faults_of_buried(pid_t pid) {
  const StatLine line(pid);
  return line.number<std::uint64_t>(11).value_or(0) + line.number<std::uint64_t>(13).value_or(0);
}

std::optional<std::uint64_t> born_at(pid_t pid) { return StatLine(pid).number<std::uint64_t>(22); }

std::optional<Survivor> describe(pid_t pid) {
  if (!is_ours()) return std::nullopt;
  const StatLine line(pid);
  if (!line && is_hidden(pid)) return Survivor{pid, '?', "(hidden by /proc)"};
  if (!line) return std::nullopt;
  return Survivor{pid, line.state(), std::string(line.name())};
}

std::optional<Survivor> holder_of(const std::vector<ino_t>& sockets, std::chrono::milliseconds patience) {
  constexpr std::uint32_t at_once = 256;  // a process may have a million descriptors
  if (sockets.empty()) return std::nullopt;
  const auto deadline = thread_time() + patience;
  for (const pid_t pid : all()) {
    for (SocketWalk walk(pid); !walk.at_end();) {
      std::uint32_t budget = at_once;
      if (walk.find(sockets, budget)) return describe(pid);
      if (thread_time() > deadline) return std::nullopt;
    }
  }
  return std::nullopt;
}

namespace {

bool is_exiting(const StatLine& line) {
  constexpr unsigned begins_to_exit = 0x4;  // PF_EXITING of linux/sched.h, set before anything is closed
  const auto flags = line.number<unsigned>(9);
  return !flags || (*flags & begins_to_exit) != 0 || line.state() == 'Z' || line.state() == 'X';
}

}  // namespace

bool is_exiting(pid_t pid) { return is_exiting(StatLine(pid)); }

bool is_dying(pid_t pid) {
  constexpr unsigned long kill_is_pending = 1UL << (SIGKILL - 1);
  const StatLine line(pid);
  return is_exiting(line) || (line.number<unsigned long>(31).value_or(0) & kill_is_pending) != 0;
}

std::vector<Survivor> some_below(std::vector<pid_t> roots) {
  TreeWalk walk(std::move(roots));
  std::size_t budget = most_survivors;
  walk.go_on(budget);
  std::vector<Survivor> found;
  for (const pid_t pid : walk.found()) {
    auto survivor = describe(pid);
    if (survivor && survivor->state != 'Z') found.push_back(std::move(*survivor));
    if (found.size() == most_survivors) break;
  }
  return found;
}

}  // namespace belfry::system::proc
