// The child's half of making a sandbox: a list of steps, as plain data, in memory that it shares with its
// suspended parent. No allocation, no lock, no libc state (ADR 3).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace belfry::system::detail {

struct SandboxStep {
  enum class Kind : std::uint8_t {
    unshare,      // flags: CLONE_NEW*
    make_slave,   // path: no mount below it reaches belfry's namespace
    raise_lo,     // the loopback interface is up
    take_tree,    // path, as it is now, with all that is mounted below; slot: where the descriptor goes
    read_only,    // path; flags: AT_RECURSIVE or 0
    mount_tmpfs,  // path, text: its options; flags: MS_*
    mount_ramfs,  // the same, of a file system that is never swapped out
    make_path,    // path, whose directories above are made as well
    make_file,    // path: an empty file to mount over, its directories as well
    put_tree,     // slot, path
    write_file,   // path, text, size; owner
    give,         // path, owner, mode
    open,         // path, flags; slot
  };
  Kind kind;
  std::uint8_t slot;
  mode_t mode;
  unsigned flags;
  uid_t owner;
  char* path;  // writable: make_path cuts it up while it goes along
  const char* text;
  std::size_t size;
};

struct SandboxProgram {
  SandboxStep* steps;
  std::size_t step_count;
  int* slots;  // in: -1; out: descriptors in the table that is shared with the parent
  // answer
  std::size_t failed;  // index of the step; step_count: none
  int errnum;
};

// Entry of clone(2); never returns. `program` is a SandboxProgram*.
int sandbox_main(void* program);

}  // namespace belfry::system::detail
