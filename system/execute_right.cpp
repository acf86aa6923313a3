#include "system/execute_right.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "system/visibility.hpp"

namespace belfry::system {

namespace {

// Whose bits the kernel looks at: those of the owner, of the group, of all others; never of two of them.
char class_of(const struct ::stat& file, const Executor& who) {
  if (file.st_uid == who.uid) return 'u';
  return std::ranges::find(who.groups, file.st_gid) != who.groups.end() ? 'g' : 'o';
}

std::string whose_and_what_to_do(const struct ::stat& file, const Executor& who, const std::string& path) {
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(file.st_mode & 07777U));
  std::string text = std::string(" (mode ") + mode + ", of " + name_of_user(file.st_uid) + ":" +
                     name_of_group(file.st_gid) + "; ";
  text += std::string("chmod ") + class_of(file, who) + "+x" + (path.empty() ? "" : " " + path);
  return text + " would let it)";
}

}  // namespace

bool may_execute(const std::string& path, const struct ::stat& file, const Executor& who) {
  constexpr mode_t all = S_IXUSR | S_IXGRP | S_IXOTH;
  if (who.uid == 0) return S_ISDIR(file.st_mode) || (file.st_mode & all) != 0;
  if (who.uid == ::geteuid()) return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
  switch (class_of(file, who)) {
    case 'u': return (file.st_mode & S_IXUSR) != 0;
    case 'g': return (file.st_mode & S_IXGRP) != 0;
    default: return (file.st_mode & S_IXOTH) != 0;
  }
}

std::string why_not_entered(const std::string& directory, const struct ::stat& status, const Executor& who) {
  return "user " + name_of_user(who.uid) + " may not enter " + directory +
         whose_and_what_to_do(status, who, directory);
}

std::string why_not_executed(const struct ::stat& status, const Executor& who) {
  return "user " + name_of_user(who.uid) + " may not execute it" + whose_and_what_to_do(status, who, {});
}

}  // namespace belfry::system
