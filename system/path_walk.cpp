#include "system/path_walk.hpp"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <deque>

namespace belfry::system {

namespace {

constexpr int most_links = 40;  // path_resolution(7)

struct Kind {
  unsigned long magic;
  std::string_view name;
};
// linux/magic.h and statfs(2): those of other hosts, and those whose contents the kernel makes up.
constexpr std::array<Kind, 19> untold{{{0x6969, "NFS"},
                                       {0x517B, "SMB"},
                                       {0xFF534D42, "CIFS"},
                                       {0xFE534D42, "SMB"},
                                       {0x65735546, "FUSE"},
                                       {0x01021997, "9P"},
                                       {0x00C36400, "Ceph"},
                                       {0x5346414F, "AFS"},
                                       {0x6B414653, "AFS"},
                                       {0x0BD00BD0, "Lustre"},
                                       {0x47504653, "GPFS"},
                                       {0x01161970, "GFS2"},
                                       {0x7461636F, "OCFS2"},
                                       {0x786F4256, "vboxsf"},
                                       {0x9FA0, "proc"},
                                       {0x62656572, "sysfs"},
                                       {0x27E0EB, "cgroup"},
                                       {0x63677270, "cgroup2"},
                                       {0x1CD1, "devpts"}}};

std::string_view untold_kind_of(const std::string& directory) {
  struct statfs about{};
  if (::statfs(directory.c_str(), &about) != 0) return {};
  const auto magic = static_cast<unsigned long>(about.f_type) & 0xFFFFFFFFUL;
  const auto* const found = std::ranges::find(untold, magic, &Kind::magic);
  return found == untold.end() ? std::string_view() : found->name;
}

std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  return {target.data(), length < 0 ? 0 : static_cast<std::size_t>(length)};
}

// Still to be looked up, in front of what is there already.
void put_in_front(std::deque<std::string>& names, std::string_view path) {
  std::deque<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (const auto part = path.substr(0, end); !part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  names.insert(names.begin(), parts.begin(), parts.end());
}

class Way {
 public:
  Way(const std::string& path, PathVisitor& visitor) : visitor_(visitor) { put_in_front(names_, path); }

  void go() {
    while (!names_.empty()) {
      const std::string name = names_.front();
      names_.pop_front();
      if (name == "..") {
        here_.resize(here_.rfind('/') == std::string::npos ? 0 : here_.rfind('/'));
      } else if (!step(name)) {
        return;
      }
    }
    visitor_.at_file(here_.empty() ? "/" : here_);
  }

 private:
  // False: it leads no further.
  bool step(const std::string& name) {
    const std::string directory = here_.empty() ? "/" : here_;
    look_at_file_system(directory);
    visitor_.at_directory(directory, name);
    const std::string next = here_ + "/" + name;
    struct stat status{};
    if (::lstat(next.c_str(), &status) != 0) return false;
    if (!S_ISLNK(status.st_mode)) {
      here_ = next;
      return true;
    }
    const std::string target = target_of(next);
    if (target.empty() || ++links_ > most_links) return false;
    if (target.front() == '/') here_.clear();
    put_in_front(names_, target);
    return true;
  }

  // Asked once for each file system on the way.
  void look_at_file_system(const std::string& directory) {
    struct stat status{};
    if (::lstat(directory.c_str(), &status) != 0 || (looked_ && status.st_dev == device_)) return;
    looked_ = true;
    device_ = status.st_dev;
    if (const auto kind = untold_kind_of(directory); !kind.empty()) visitor_.at_untold(kind);
  }

  PathVisitor& visitor_;
  std::deque<std::string> names_;
  std::string here_;  // without symbolic links; empty: the root
  int links_ = 0;
  bool looked_ = false;
  dev_t device_ = 0;
};

}  // namespace

void walk_path(const std::string& path, PathVisitor& visitor) { Way(path, visitor).go(); }

}  // namespace belfry::system
