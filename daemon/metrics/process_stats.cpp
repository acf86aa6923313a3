#include "daemon/metrics/process_stats.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace belfry::daemon {
namespace {

std::string read_small_file(const char* path) {
  char buffer[1024];
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t size = ::read(fd, buffer, sizeof buffer);
  ::close(fd);
  return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double clock_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double count_entries(const char* path) {
  DIR* directory = ::opendir(path);
  if (directory == nullptr) return 0;
  double entries = 0;
  while (::readdir(directory) != nullptr) ++entries;
  ::closedir(directory);
  return entries - 3;  // ".", ".." and the directory's own descriptor
}

// Linux 6.2 and later tell the number of descriptors as the directory's size.
double open_descriptors() {
  struct stat status{};
  if (::stat("/proc/self/fd", &status) == 0 && status.st_size > 0) return static_cast<double>(status.st_size);
  return count_entries("/proc/self/fd");
}

// Field 22 of proc_pid_stat(5), counted behind the command's closing parenthesis, which may be followed by
// anything.
double start_time() {
  const std::string stat = read_small_file("/proc/self/stat");
  const auto end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return 0;
  std::size_t at = end_of_name + 1;
  for (int field = 3; field <= 22; ++field) at = stat.find_first_not_of(' ', stat.find(' ', at));
  const double ticks = std::strtod(stat.c_str() + at, nullptr);
  const double age = clock_seconds(CLOCK_BOOTTIME) - ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return clock_seconds(CLOCK_REALTIME) - age;
}

}  // namespace

ProcessStats read_process_stats() {
  static const double started = start_time();
  ProcessStats stats;
  stats.start_time_seconds = started;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0)
    stats.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  const std::string statm = read_small_file("/proc/self/statm");
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  char* rest = nullptr;
  stats.virtual_bytes = std::strtod(statm.c_str(), &rest) * page;
  stats.resident_bytes = std::strtod(rest, nullptr) * page;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = static_cast<double>(limit.rlim_cur);
  stats.open_fds = open_descriptors();
  return stats;
}

}  // namespace belfry::daemon
