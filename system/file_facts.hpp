// Questions about a path or about an open file, each answered by one look at the file system.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "system/or_errno.hpp"

namespace belfry::system {

enum class Access : std::uint8_t {
  there,    // it exists, whatever it is
  read,     // a file can be read
  write,    // a file can be written
  execute,  // a file can be executed
  enter,    // a directory can be passed through
  make_in,  // files can be made in a directory
};
// What keeps the user that belfry acts as from it, as errno; 0: nothing.
[[nodiscard]] int access_error(const std::string& path, Access what);

[[nodiscard]] bool is_regular_file(const std::string& path);

// What a file is, and whose.
struct FileFacts {
  bool is_directory = false;
  uid_t owner = 0;
  mode_t mode = 0;

  [[nodiscard]] bool is_socket() const;
  // A directory into which nobody but this user can look or put anything.
  [[nodiscard]] bool is_directory_of_this_user_alone() const;
  // Everybody may write there, and without the sticky bit everybody may also replace what is another one's.
  [[nodiscard]] bool lets_everybody_replace() const;
};
[[nodiscard]] OrErrno<FileFacts> facts_of(const std::string& path);
// The same of a symbolic link itself, where there is one: in a directory that is everybody's it is a trick.
[[nodiscard]] OrErrno<FileFacts> facts_of_itself(const std::string& path);

// Makes a directory of mode 0700 below one that is there. 0 or errno; 0 also when something is there by that
// name.
[[nodiscard]] int make_own_directory(const std::string& path);
// Lets everybody pass through a directory of this user who knows the name of what he looks for in it: mode
// 0711. 0 or errno.
[[nodiscard]] int let_pass_through(const std::string& directory);

// Two descriptors of the same file, terminal or pipe.
[[nodiscard]] bool is_same_file(int one, int other);
// Whether this descriptor is of the file of that name.
[[nodiscard]] bool is_same_file(int one, const std::string& path);
// Two descriptors of the same open file description: whoever has one has the other (kcmp(2)). False where the
// kernel does not say.
[[nodiscard]] bool is_same_open_file(int one, int other);
// The number of a file or pipe on its file system.
[[nodiscard]] ino_t inode_of(int fd);

}  // namespace belfry::system
