#include "system/core_dump.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <optional>
#include <system_error>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

std::string_view first_word(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find(' '));
}

// What is known of a name of core(5); nothing when a part of it is the process's own business.
std::optional<std::string> expanded(std::string_view pattern, const CoreDump& dump) {
  std::string name;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      name += pattern[i];
      continue;
    }
    switch (pattern[++i]) {
      case '%': name += '%'; break;
      case 'p':
      case 'P': name += std::to_string(dump.pid); break;
      case 's': name += std::to_string(dump.signo); break;
      default: return std::nullopt;
    }
  }
  return name;
}

std::string absolute(std::string_view name, std::string_view directory) {
  std::error_code ignored;
  const std::filesystem::path base =
      directory.empty() ? std::filesystem::current_path(ignored) : std::filesystem::path(directory);
  return (base / name).string();
}

}  // namespace

bool may_dump_core() {
  rlimit own{};
  return ::getrlimit(RLIMIT_CORE, &own) != 0 || own.rlim_cur > 0;
}

bool dumps_core(int signo) {
  static constexpr std::array dumping = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                         SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
  return std::ranges::find(dumping, signo) != dumping.end();
}

std::string where_the_core_is(const CoreDump& dump, std::string_view pattern, bool with_pid) {
  while (pattern.ends_with('\n')) pattern.remove_suffix(1);
  if (!dump.dumped) {
    if (!dumps_core(dump.signo) || dump.may_dump) return {};
    return "no core dump, its limit is 0 (`rlimits: {core: unlimited}` asks for one)";
  }
  if (pattern.starts_with('|')) {
    const std::string program(first_word(pattern.substr(1)));
    const std::string pid = std::to_string(dump.pid);
    return "the core was handed to " + program +
           (program.ends_with("systemd-coredump") ? " (coredumpctl info " + pid + ")" : "");
  }
  if (pattern.empty() && !with_pid) return {};
  const auto name = expanded(pattern, dump);
  if (!name)
    return "the core is " + absolute(pattern, dump.working_dir) +
           ", where the kernel puts its own words for " + "the % of core(5)";
  std::string path = absolute(*name, dump.working_dir);
  if (with_pid && !pattern.contains("%p")) path += "." + std::to_string(dump.pid);
  if (::access(path.c_str(), F_OK) == 0) return "the core is " + path;
  return "the core should be " + path + " (or where it went with chdir)";
}

std::string where_the_core_is(const CoreDump& dump) {
  const std::string with_pid = proc::read_file("/proc/sys/kernel/core_uses_pid");
  return where_the_core_is(dump, proc::read_file("/proc/sys/kernel/core_pattern"), with_pid.starts_with('1'));
}

}  // namespace belfry::system
