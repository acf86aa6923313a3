#include "system/proc_stat.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "system/owned_fd.hpp"

namespace belfry::system::proc {

StatLine::StatLine(pid_t pid) {
  std::array<char, 32> path;
  if (pid == self)
    std::snprintf(path.data(), path.size(), "/proc/self/stat");
  else
    std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  const OwnedFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  const ssize_t got = file ? ::read(file.get(), text_.data(), text_.size()) : -1;
  if (got <= 0) return;
  const std::string_view line(text_.data(), static_cast<std::size_t>(got));
  const std::size_t open = line.find('(');
  const std::size_t close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close + 2 >= line.size()) return;
  name_ = line.substr(open + 1, close - open - 1);
  behind_name_ = line.substr(close + 1);
}

}  // namespace belfry::system::proc
