#include "system/unix_table.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

constexpr unsigned long accepts = 0x10000;  // __SO_ACCEPTCON of linux/net.h

}  // namespace

// A line each: "0000…: 00000002 00000000 00010000 0001 01 1057 /run/app.sock" (proc_pid_net(5)).
std::vector<ListeningSocket> unix_listeners_seen_by(pid_t pid, const std::string& path) {
  const std::string table = proc::read_file("/proc/" + std::to_string(pid) + "/net/unix");
  std::vector<ListeningSocket> found;
  std::string_view rest = table;
  while (!rest.empty()) {
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.ends_with(" " + path)) continue;
    unsigned long flags = 0, inode = 0;
    if (std::sscanf(line.c_str(), "%*x: %*x %*x %lx %*x %*x %lu", &flags, &inode) == 2 &&
        (flags & accepts) != 0)
      found.push_back({.inode = inode});
  }
  return found;
}

}  // namespace belfry::system
