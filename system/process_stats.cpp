#include "system/process_stats.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "system/clock.hpp"
#include "system/descriptors.hpp"
#include "system/proc.hpp"
#include "system/proc_stat.hpp"

namespace belfry::system {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

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

double start_time() {
  const auto born = proc::born_at(proc::self);
  if (!born) return 0;
  const auto age = time_since_boot() - static_cast<std::int64_t>(*born) * clock_tick();
  return seconds(std::chrono::system_clock::now().time_since_epoch() - age);
}

}  // namespace

ProcessStats read_process_stats() {
  static const double started = start_time();
  ProcessStats stats;
  stats.start_time_seconds = started;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0)
    stats.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  const std::string statm = proc::read_file("/proc/self/statm");
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  char* rest = nullptr;
  stats.virtual_bytes = std::strtod(statm.c_str(), &rest) * page;
  stats.resident_bytes = std::strtod(rest, nullptr) * page;
  stats.max_fds = static_cast<double>(descriptor_limit());
  stats.open_fds = open_descriptors();
  return stats;
}

}  // namespace belfry::system
