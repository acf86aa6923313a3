// A directory that belfry makes for a service and, of some kinds, takes away again.
//
// belfry is often root and makes it in a tree that others can write to: whoever owns `app` can put a symbolic
// link in the place of `app/cache`. So it goes down one name after the other by descriptors, follows no link,
// and gives away only what it has made, or found empty.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::system {

struct OwnDirectoryRequest {
  std::string_view base;  // absolute; made, with mode 0755, if it is not there
  std::string_view name;  // relative, `a` or `a/b`, without `.` and `..`
  mode_t mode = 0755;
  uid_t uid = 0;
  gid_t gid = 0;
  // It goes with who it is made for. What a belfry that was killed has left of it is taken for its own, and
  // emptied: a pid file or a socket of that time would mislead. It is known by a mark (an extended attribute)
  // with the maker's number and birth; where no mark can be made, what is there is taken as it is.
  bool temporary = false;
};

struct MadeDirectory {
  std::string path;
  // It was not there, belfry had made it, or what was there belongs to the service's own user, who is not
  // root: it can be taken away. What root has put there for somebody else stays.
  bool ours = false;
};

// Makes it, or takes what is there: the mode and, of an empty one, the owner are set. The error is of kind
// `failed` where somebody else's directory, a link or a file stands in the way.
[[nodiscard]] Result<MadeDirectory> make_own_directory(const OwnDirectoryRequest& request);

// Takes away `name` below `base` with all that it holds, on the same terms: no link is followed, no file
// system left. What cannot be removed stays; it is left to the next start. Of `a/b`, `a` stays.
void remove_own_directory(std::string_view base, std::string_view name);
// A part of that, which takes no long time: at most `entries` of them. False: there is more.
[[nodiscard]] bool remove_some_of_own_directory(std::string_view base, std::string_view name,
                                                std::size_t entries);
// Gives it another name beside it, which nobody looks for, and returns that; empty: that is not possible.
[[nodiscard]] std::string move_own_directory_aside(std::string_view base, std::string_view name);
// All of it, below an open directory.
void remove_tree_at(int above, const std::string& name);

}  // namespace belfry::system
