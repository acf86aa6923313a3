#include "system/seccomp_listen.hpp"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/net.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>

namespace belfry::system {

namespace {

// The numbers of the calls on one architecture. Programs of another word size on the same machine have
// others.
struct CallNumbers {
  std::uint32_t architecture;
  std::uint32_t listen, bind, io_uring_setup;
  std::uint32_t socketcall;  // 0: does not exist
};

#if defined(__x86_64__)
constexpr std::array known = {
    CallNumbers{AUDIT_ARCH_X86_64, SYS_listen, SYS_bind, SYS_io_uring_setup, 0},
    CallNumbers{AUDIT_ARCH_I386, 363, 361, 425, 102},
};
#elif defined(__aarch64__)
constexpr std::array known = {
    CallNumbers{AUDIT_ARCH_AARCH64, SYS_listen, SYS_bind, SYS_io_uring_setup, 0},
    CallNumbers{AUDIT_ARCH_ARM, 284, 282, 425, 0},
};
#else
constexpr std::array<CallNumbers, 0> known = {};
#endif

// The shortest address of a socket of the internet. Unix and netlink sockets are mostly bound with less.
constexpr std::uint32_t shortest_address = 16;

// A filter in the making. Each rule ends in a verdict or falls through to the next one with its number
// loaded.
class Program {
 public:
  constexpr explicit Program(bool udp) {
    for (const CallNumbers& numbers : known) {
      load(offsetof(seccomp_data, arch));
      const std::size_t skip = jump(BPF_JEQ, numbers.architecture);
      load(offsetof(seccomp_data, nr));
      notify_of(numbers.listen);
      notify_of(numbers.io_uring_setup);
      if (udp) notify_of_argument(numbers.bind, 2, BPF_JGE, shortest_address);
      if (numbers.socketcall != 0) {
        notify_of_argument(numbers.socketcall, 0, BPF_JEQ, SYS_LISTEN);
        if (udp) notify_of_argument(numbers.socketcall, 0, BPF_JEQ, SYS_BIND);
      }
      end(SECCOMP_RET_ALLOW);
      lands_here(skip);
    }
    end(SECCOMP_RET_ALLOW);
  }
  [[nodiscard]] constexpr std::span<const sock_filter> code() const { return std::span(code_).first(size_); }

 private:
  constexpr void load(std::size_t offset) {
    code_[size_++] = {
        .code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = static_cast<std::uint32_t>(offset)};
  }
  constexpr void end(std::uint32_t verdict) {
    code_[size_++] = {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = verdict};
  }
  // Goes on when it holds; where it lands when not is said by lands_here.
  constexpr std::size_t jump(std::uint16_t condition, std::uint32_t value) {
    code_[size_] = {
        .code = static_cast<std::uint16_t>(BPF_JMP | condition | BPF_K), .jt = 0, .jf = 0, .k = value};
    return size_++;
  }
  constexpr void lands_here(std::size_t jump) {
    code_[jump].jf = static_cast<std::uint8_t>(size_ - jump - 1);
  }
  constexpr void notify_of(std::uint32_t number) {
    const std::size_t skip = jump(BPF_JEQ, number);
    end(SECCOMP_RET_USER_NOTIF);
    lands_here(skip);
  }
  // Arguments are 64 bits wide; both architectures are little-endian and these fit into the lower half.
  constexpr void notify_of_argument(std::uint32_t number, std::size_t index, std::uint16_t condition,
                                    std::uint32_t value) {
    const std::size_t other_call = jump(BPF_JEQ, number);
    load(offsetof(seccomp_data, args) + index * sizeof(seccomp_data::args[0]));
    const std::size_t other_value = jump(condition, value);
    end(SECCOMP_RET_USER_NOTIF);
    lands_here(other_value);
    load(offsetof(seccomp_data, nr));
    lands_here(other_call);
  }

  std::array<sock_filter, 64> code_{};
  std::size_t size_ = 0;
};

constexpr Program without_bind(false);
constexpr Program with_bind(true);

CaughtCall::Kind kind_of(const seccomp_data& data) {
  const auto number = static_cast<std::uint32_t>(data.nr);
  for (const CallNumbers& numbers : known) {
    if (data.arch != numbers.architecture) continue;
    if (number == numbers.io_uring_setup) return CaughtCall::Kind::io_uring;
    if (number == numbers.bind) return CaughtCall::Kind::bind;
    if (number == numbers.socketcall && data.args[0] == SYS_BIND) return CaughtCall::Kind::bind;
  }
  return CaughtCall::Kind::listen;
}

// The socket is the first argument, except where arguments lie in the caller's memory.
bool names_its_socket(const seccomp_data& data) {
  for (const CallNumbers& numbers : known) {
    if (data.arch == numbers.architecture && static_cast<std::uint32_t>(data.nr) == numbers.socketcall)
      return false;
  }
  return true;
}

}  // namespace

std::span<const sock_filter> listen_filter(bool udp) {
  if (known.empty()) return {};
  return udp ? with_bind.code() : without_bind.code();
}

ListenNotifierRights ListenNotifierRights::own() {
  ListenNotifierRights rights;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, sets) == 0)
    rights.admin = (sets[CAP_SYS_ADMIN / 32].effective & (1U << (CAP_SYS_ADMIN % 32))) != 0;
  rights.no_new_privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  return rights;
}

// Whoever is stopped and whoever lets it go on never run at the same time: each is woken where the other one
// runs, and no idle processor has to be roused for it.
ListenNotifier::ListenNotifier(int descriptor, Syscalls& syscalls)
    : syscalls_(syscalls), descriptor_(descriptor) {
  syscalls_.wake_on_this_processor(descriptor_);
}

ListenNotifier::~ListenNotifier() {
  expect(0);
  ::close(descriptor_);
}

void ListenNotifier::expect(pid_t caller) {
  if (caller == expected_) return;
  if (process_ >= 0) ::close(process_);
  process_ = caller > 0 ? syscalls_.open_process(caller) : -1;
  expected_ = process_ >= 0 ? caller : 0;
}

int ListenNotifier::copy_socket_of(pid_t thread, int fd) {
  return thread == expected_ ? syscalls_.copy_descriptor(process_, fd)
                             : syscalls_.copy_descriptor_of_thread(thread, fd);
}

std::optional<CaughtCall> ListenNotifier::take(bool identify_socket) {
  seccomp_notif asked{};  // must be zero, or the kernel refuses it
  if (syscalls_.receive_notification(descriptor_, asked) < 0) return std::nullopt;
  CaughtCall call{.kind = kind_of(asked.data),
                  .socket = std::nullopt,
                  .id = asked.id,
                  .caller = static_cast<pid_t>(asked.pid)};
  if (!identify_socket || call.kind == CaughtCall::Kind::io_uring || !names_its_socket(asked.data))
    return call;
  const int copy = copy_socket_of(static_cast<pid_t>(asked.pid), static_cast<int>(asked.data.args[0]));
  if (copy < 0) return call;
  call.socket = identify(copy);
  ::close(copy);
  return call;
}

// The kernel takes no answer for a caller that is gone. So an answer that was taken also proves that the
// thread had not lent its number to somebody else when its socket was read.
bool ListenNotifier::let_go(const CaughtCall& call) {
  return syscalls_.continue_notification(descriptor_, call.id) == 0;
}

}  // namespace belfry::system
