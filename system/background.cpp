#include "system/background.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "system/descriptors.hpp"

namespace belfry::system {
namespace {

constexpr std::size_t longest_message = 4096;

struct Ears {
  OwnedFd socket;
  std::string address;  // for NOTIFY_SOCKET
};

// The kernel chooses a name in the abstract namespace (unix(7), autobind): there is no file to remove.
OrErrno<Ears> listen_to_messages() {
  Ears ears{.socket = OwnedFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
            .address = {}};
  if (!ears.socket) return std::unexpected(errno);
  const int on = 1;
  ::setsockopt(ears.socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (::bind(ears.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0)
    return std::unexpected(errno);
  socklen_t length = sizeof address;
  if (::getsockname(ears.socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return std::unexpected(errno);
  const std::size_t name = length - offsetof(sockaddr_un, sun_path);
  ears.address = "@" + std::string(address.sun_path + 1, name - 1);
  return ears;
}

[[noreturn]] void be_the_program(char* const* argv, int output) {
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (const auto limit = entry_descriptor_limit()) ::setrlimit(RLIMIT_NOFILE, &*limit);
  ::execv("/proc/self/exe", argv);
  ::execvp("belfry", argv);  // where there is no /proc
  constexpr int not_found = 127;
  ::_exit(not_found);
}

pid_t sender_of(msghdr& header) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) continue;
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
    return credentials.pid;
  }
  return 0;
}

}  // namespace

OrErrno<Background> Background::start(const std::vector<std::string>& arguments, int output) {
  auto ears = listen_to_messages();
  if (!ears) return std::unexpected(ears.error());
  std::vector<char*> argv{const_cast<char*>("belfry")};
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  // What a service manager has said to us is not meant for it; BELFRY_SOCKET would be another daemon's.
  ::setenv("NOTIFY_SOCKET", ears->address.c_str(), 1);
  for (const char* name : {"WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID",
                           "LISTEN_FDNAMES", "FDSTORE", "BELFRY_SOCKET"})
    ::unsetenv(name);
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(errno);
  if (pid == 0) be_the_program(argv.data(), output);
  OwnedFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return std::unexpected(errno);
  return Background(pid, std::move(process), std::move(ears->socket));
}

std::optional<std::string> Background::take_message() {
  for (;;) {
    std::array<char, longest_message> text;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(messages_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return std::nullopt;
    if (sender_of(header) == pid_) return std::string(text.data(), static_cast<std::size_t>(length));
  }
}

ExitStatus Background::status() {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
  }
  return exit_status(info.si_code, info.si_status);
}

void Background::signal(int number) const {
  ::syscall(SYS_pidfd_send_signal, process_.get(), number, nullptr, 0);
}

}  // namespace belfry::system
