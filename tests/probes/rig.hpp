// Asking a probe once, on a real loop, and servers on loopback for it to ask.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "probes/dialogue_probe.hpp"
#include "probes/kernel_questions.hpp"
#include "probes/probe.hpp"
#include "probes/socket_owners.hpp"
#include "system/sock_diag.hpp"

namespace belfry::test {

using namespace std::chrono_literals;

// A socket on 127.0.0.1 (or ::1) with a number of the kernel's choice: listening, or bound (udp).
class LocalSocket {
 public:
  explicit LocalSocket(int type = SOCK_STREAM, bool v6 = false, bool listening = true);
  ~LocalSocket() { close(); }
  LocalSocket(const LocalSocket&) = delete;
  LocalSocket& operator=(const LocalSocket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string text() const { return "127.0.0.1:" + std::to_string(port_); }
  void close();

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

// Answers each connection with the same bytes, after reading a request's head. A thread, because the
// probe's loop is busy with the probe.
class CannedServer {
 public:
  explicit CannedServer(std::string answer);
  ~CannedServer();
  [[nodiscard]] const LocalSocket& socket() const { return socket_; }
  // The last request's head. Call it after the probe has its answer.
  [[nodiscard]] std::string request();

 private:
  void serve();
  LocalSocket socket_;
  std::string answer_, request_;
  std::thread thread_;
};

// What a factory gives its probes to ask the kernel with. Outlives them.
struct Kernel {
  explicit Kernel(Loop& loop) : owners(loop) {}
  [[nodiscard]] probes::KernelQuestions questions() {
    return {.diag = diag, .owners = owners, .waiters = waiters};
  }
  system::SockDiag diag;
  probes::PortWaiters waiters;
  probes::SocketOwners owners;
  tls::Clients tls;
  // For probes that go over the network.
  [[nodiscard]] probes::NetMeans net(probes::Resolver& resolver) {
    return {.resolver = resolver, .tls = tls, .questions = questions()};
  }
};

// Runs one check to its end; `patience` is the context's deadline.
probes::CheckResult ask(Loop& loop, probes::Probe& probe, Duration patience = 10s);
// "" when it is true, else why not.
std::string answer(Loop& loop, probes::Probe& probe, Duration patience = 10s);
// Cancels the context as soon as the check waits, and returns how it ended.
probes::CheckResult ask_and_cancel(Loop& loop, probes::Probe& probe);

}  // namespace belfry::test
