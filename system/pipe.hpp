// Pipes and terminals between belfry and what it starts.
//
// O_NONBLOCK belongs to the open file and not to the descriptor, and the two ends of a pipe are two open
// files: belfry's end never blocks, and the other one blocks as a program expects of its output.
#pragma once

#include <sys/types.h>

#include <span>

#include "system/or_errno.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

struct Pipe {
  OwnedFd read_end;   // does not block
  OwnedFd write_end;  // blocks
};
[[nodiscard]] OrErrno<Pipe> make_pipe();

// One more write end of a pipe whose read end is open: as good as the first one.
[[nodiscard]] OrErrno<OwnedFd> another_write_end(int read_end);

// Lets a pipe hold up to `size` bytes (F_SETPIPE_SZ); it stays as it is where the kernel has no more for this
// user (pipe(7), pipe-user-pages-soft).
void enlarge_pipe(int fd, int size);

// A terminal of 80 columns and 24 lines (pty(7)): the side that belfry reads, which does not block. Reading
// it is EIO when nobody has the other side open.
[[nodiscard]] OrErrno<OwnedFd> make_terminal();
// The side of whoever writes there, for reading as well. Lines come out as they were written: there is no
// echo, and no carriage return before a newline.
[[nodiscard]] OrErrno<OwnedFd> open_terminal_line(int terminal);

// read(2): how many bytes came, 0 at the end, or -errno.
[[nodiscard]] ssize_t read_some(int fd, std::span<char> into);

}  // namespace belfry::system
