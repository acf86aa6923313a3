#include "system/socket_walk.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace belfry::system::proc {

namespace {

// "socket:[123]" → 123; 0: something else.
ino_t socket_in(int directory, const char* name) {
  constexpr std::string_view prefix = "socket:[";
  char link[64];
  const ssize_t length = ::readlinkat(directory, name, link, sizeof link);
  if (length <= 0) return 0;
  const std::string_view text(link, static_cast<std::size_t>(length));
  ino_t inode = 0;
  if (text.starts_with(prefix))
    std::from_chars(text.data() + prefix.size(), text.data() + text.size(), inode);
  return inode;
}

}  // namespace

SocketWalk::SocketWalk(pid_t pid) : directory_(::opendir(("/proc/" + std::to_string(pid) + "/fd").c_str())) {}

bool SocketWalk::find(std::span<const ino_t> wanted, std::uint32_t& budget) {
  while (directory_ != nullptr && budget > 0) {
    const dirent* entry = ::readdir(directory_.get());
    if (entry == nullptr) {
      directory_.reset();
      break;
    }
    --budget;
    if (entry->d_name[0] == '.') continue;
    const ino_t inode = socket_in(::dirfd(directory_.get()), entry->d_name);
    if (inode != 0 && std::ranges::find(wanted, inode) != wanted.end()) return true;
  }
  return false;
}

}  // namespace belfry::system::proc
