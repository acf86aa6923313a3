#include "system/cgroup_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>

#include "system/proc.hpp"

namespace belfry::system::cgroup {

namespace {

// A tree that forks while it is walked loses a generation a round.
constexpr int rounds = 8;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::string file_of(std::string_view directory, std::string_view file) {
  std::string path(directory);
  path.append("/").append(file);
  return path;
}

void collect(std::string_view directory, std::vector<pid_t>& into) {
  proc::parse_pids(proc::read_file(file_of(directory, "cgroup.procs")), into);
  for (const std::string& name : names_below(directory)) collect(file_of(directory, name), into);
}

}  // namespace

std::vector<std::string> names_below(std::string_view directory) {
  std::vector<std::string> names;
  const std::string place(directory);
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(place.c_str()));
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

std::uint64_t counter_in(std::string_view directory, std::string_view file, std::string_view name) {
  const std::string text = proc::read_file(file_of(directory, file));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ' ') {
      std::uint64_t value = 0;
      std::from_chars(line.data() + name.size() + 1, line.data() + line.size(), value);
      return value;
    }
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return 0;
}

bool is_populated(std::string_view directory) {
  return counter_in(directory, "cgroup.events", "populated") != 0;
}

std::vector<pid_t> pids_in(std::string_view directory) {
  std::vector<pid_t> found;
  collect(directory, found);
  return found;
}

int write_control(std::string_view directory, std::string_view file, std::string_view text) {
  const int fd = ::open(file_of(directory, file).c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const ssize_t written = ::write(fd, text.data(), text.size());
  const int result = written < 0 ? -errno : 0;
  ::close(fd);
  return result;
}

bool kill_all(std::string_view directory) {
  if (write_control(directory, "cgroup.kill", "1") == 0) return true;
  bool somebody = false;
  for (int round = 0; round < rounds; ++round) {
    bool sent = false;
    for (const pid_t pid : pids_in(directory)) sent = ::kill(pid, SIGKILL) == 0 || sent;
    if (!sent) break;
    somebody = true;
  }
  return somebody;
}

bool remove(std::string_view directory) {
  const std::string path(directory);
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return true;
  for (const std::string& name : names_below(directory)) remove(file_of(directory, name));
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT;
}

}  // namespace belfry::system::cgroup
