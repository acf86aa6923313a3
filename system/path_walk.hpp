// The way that a path takes through the file system: every directory, and every symbolic link on it.
#pragma once

#include <string>
#include <string_view>

namespace belfry::system {

class PathVisitor {
 public:
  // `name` is about to be looked up in this directory, whose own path has no symbolic link in it.
  virtual void at_directory(const std::string& directory, const std::string& name) = 0;
  // The end of the way: something is there.
  virtual void at_file(const std::string& file) = 0;
  // The way has come to a file system that changes without the kernel of this host doing it, or without its
  // telling: "NFS", "proc".
  virtual void at_untold(std::string_view kind) = 0;

 protected:
  ~PathVisitor() = default;
};

// Follows an absolute path as far as it leads. It never waits but for the file systems themselves.
void walk_path(const std::string& path, PathVisitor& visitor);

}  // namespace belfry::system
