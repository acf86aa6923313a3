#include "system/sandbox_child.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// As in spawn_child.cpp.
#define BELFRY_CHILD __attribute__((disable_sanitizer_instrumentation)) static

namespace belfry::system::detail {

namespace {

template <class... Args>
__attribute__((disable_sanitizer_instrumentation)) long raw(long number, Args... args) {
  long result = ::syscall(number, args...);
  return result < 0 ? -errno : result;
}

}  // namespace

BELFRY_CHILD long raise_loopback() {
  long socket = raw(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return socket;
  ifreq request = {};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  long result = raw(SYS_ioctl, socket, SIOCGIFFLAGS, &request);
  if (result >= 0) {
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    result = raw(SYS_ioctl, socket, SIOCSIFFLAGS, &request);
  }
  raw(SYS_close, socket);
  return result;
}

// What is there already is as good.
BELFRY_CHILD long make_directories(char* path, bool the_last_one_too) {
  long result = 0;
  for (char* at = path + 1; *at != '\0' && result >= 0; ++at) {
    if (*at != '/') continue;
    *at = '\0';
    result = raw(SYS_mkdirat, AT_FDCWD, path, 0755);
    *at = '/';
    if (result == -EEXIST) result = 0;
  }
  if (result >= 0 && the_last_one_too) result = raw(SYS_mkdirat, AT_FDCWD, path, 0755);
  return result == -EEXIST ? 0 : result;
}

BELFRY_CHILD long make_empty_file(char* path) {
  long result = make_directories(path, false);
  if (result < 0) return result;
  long file = raw(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file < 0) return file;
  return raw(SYS_close, file);
}

BELFRY_CHILD long write_whole(const SandboxStep& step) {
  long file =
      raw(SYS_openat, AT_FDCWD, step.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
  if (file < 0) return file;
  long result = 0;
  for (std::size_t done = 0; done < step.size && result >= 0;) {
    result = raw(SYS_write, file, step.text + done, step.size - done);
    if (result == -EINTR) result = 0;
    if (result > 0) done += static_cast<std::size_t>(result);
  }
  if (result >= 0) result = raw(SYS_fchown, file, step.owner, static_cast<gid_t>(-1));
  raw(SYS_close, file);
  return result;
}

BELFRY_CHILD long set_read_only(const SandboxStep& step) {
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  return raw(SYS_mount_setattr, AT_FDCWD, step.path, step.flags, &attributes, sizeof attributes);
}

BELFRY_CHILD long give(const SandboxStep& step) {
  long result = raw(SYS_fchownat, AT_FDCWD, step.path, step.owner, static_cast<gid_t>(-1), 0);
  return result < 0 ? result : raw(SYS_fchmodat, AT_FDCWD, step.path, step.mode);
}

BELFRY_CHILD long take(const SandboxStep& step, int* slots) {
  constexpr unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  long result = raw(SYS_open_tree, AT_FDCWD, step.path, flags);
  if (result >= 0) slots[step.slot] = static_cast<int>(result);
  return result;
}

BELFRY_CHILD long open_into(const SandboxStep& step, int* slots) {
  long result = raw(SYS_openat, AT_FDCWD, step.path, static_cast<int>(step.flags));
  if (result >= 0) slots[step.slot] = static_cast<int>(result);
  return result;
}

BELFRY_CHILD long perform(const SandboxStep& step, int* slots) {
  using Kind = SandboxStep::Kind;
  switch (step.kind) {
    case Kind::unshare: return raw(SYS_unshare, static_cast<int>(step.flags));
    case Kind::make_slave: return raw(SYS_mount, nullptr, step.path, nullptr, MS_REC | MS_SLAVE, nullptr);
    case Kind::raise_lo: return raise_loopback();
    case Kind::take_tree: return take(step, slots);
    case Kind::read_only: return set_read_only(step);
    case Kind::mount_tmpfs:
      return raw(SYS_mount, "tmpfs", step.path, "tmpfs", static_cast<unsigned long>(step.flags), step.text);
    case Kind::mount_ramfs:
      return raw(SYS_mount, "ramfs", step.path, "ramfs", static_cast<unsigned long>(step.flags), step.text);
    case Kind::make_path: return make_directories(step.path, true);
    case Kind::make_file: return make_empty_file(step.path);
    case Kind::put_tree:
      return raw(SYS_move_mount, slots[step.slot], "", AT_FDCWD, step.path, MOVE_MOUNT_F_EMPTY_PATH);
    case Kind::write_file: return write_whole(step);
    case Kind::give: return give(step);
    case Kind::open: return open_into(step, slots);
  }
  return -EINVAL;
}

__attribute__((disable_sanitizer_instrumentation)) int sandbox_main(void* argument) {
  auto& program = *static_cast<SandboxProgram*>(argument);
  program.failed = program.step_count;
  raw(SYS_umask, 0);  // its own: the file system attributes are not shared
  for (std::size_t i = 0; i < program.step_count; ++i) {
    long result = perform(program.steps[i], program.slots);
    if (result >= 0) continue;
    program.failed = i;
    program.errnum = static_cast<int>(-result);
    break;
  }
  for (;;) raw(SYS_exit_group, 0);
}

}  // namespace belfry::system::detail
