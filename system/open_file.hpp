// Opening and reading files whose names somebody else has written down: nothing here ever waits.
//
// open(2) of a FIFO waits for the other end, and of a terminal it may make it one's own; a read of a device
// may never end. So everything is opened with O_NONBLOCK and O_NOCTTY, and what is read whole must be a
// regular file.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "system/file_stamp.hpp"
#include "system/or_errno.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

// A file, a device or a FIFO for somebody else to read from. Reading it blocks, as any program expects.
[[nodiscard]] OrErrno<OwnedFd> open_to_read(const std::string& path);
// The same to write to, behind what is there; made when it is not there.
[[nodiscard]] OrErrno<OwnedFd> open_to_append(const std::string& path);

// The first `most` bytes of a file; what cannot be read is empty.
[[nodiscard]] std::string beginning_of(const std::string& path, std::size_t most);
// The same of a regular file, into a string whose room is used again; 0 or errno, EINVAL for what is no
// regular file. Files of proc(5) are read although they have no size.
[[nodiscard]] int read_beginning(const std::string& path, std::size_t most, std::string& into);
// A whole regular file of at most so many bytes, into a string whose room is used again, and which file it
// was. Nothing when it cannot be read; the text is then of no meaning.
[[nodiscard]] std::optional<FileStamp> read_regular_file(const std::string& path, off_t largest,
                                                         std::string& into);

// The same, and why not: EINVAL: it is no regular file; EFBIG: it is larger; EPERM: it does not belong to
// `owner`, where there is one, who could have laid out a name that leads to somebody else's secrets.
[[nodiscard]] OrErrno<std::string> read_file_of(std::optional<uid_t> owner, const std::string& path,
                                                off_t largest);

// A file in which belfry leaves a note for the next one. It is believed only when nobody but this user can
// have written it, and it is never written through a name that somebody has laid out to lead elsewhere:
// whatever stands there is removed first.
class OwnFile {
 public:
  // Its text; empty when there is none, or when somebody else could have written it.
  [[nodiscard]] static std::string read(const std::string& path);
  // A new, empty one in its place.
  [[nodiscard]] static OrErrno<OwnFile> create(const std::string& path);
  static void remove(const std::string& path);

  // One write each. What cannot be written is left out.
  void append(std::string_view text);
  void replace(std::string_view text);

 private:
  explicit OwnFile(OwnedFd file) : file_(std::move(file)) {}
  OwnedFd file_;
};

}  // namespace belfry::system
