#include "tests/probes/rig.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

namespace belfry::test {

LocalSocket::LocalSocket(int type, bool v6, bool listening)
    : fd_(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0)) {
  sockaddr_in6 wide{};
  sockaddr_in narrow{};
  wide.sin6_family = AF_INET6;
  wide.sin6_addr = in6addr_loopback;
  narrow.sin_family = AF_INET;
  narrow.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = v6 ? reinterpret_cast<sockaddr*>(&wide) : reinterpret_cast<sockaddr*>(&narrow);
  socklen_t length = v6 ? sizeof wide : sizeof narrow;
  if (::bind(fd_, address, length) != 0) std::abort();
  if (type == SOCK_STREAM && listening && ::listen(fd_, 16) != 0) std::abort();
  ::getsockname(fd_, address, &length);
  port_ = ntohs(v6 ? wide.sin6_port : narrow.sin_port);
}

void LocalSocket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

CannedServer::CannedServer(std::string answer) : answer_(std::move(answer)), thread_([this] { serve(); }) {}

CannedServer::~CannedServer() {
  ::shutdown(socket_.fd(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
}

std::string CannedServer::request() {
  ::shutdown(socket_.fd(), SHUT_RDWR);  // accept fails: the thread ends
  thread_.join();
  return request_;
}

void CannedServer::serve() {
  for (;;) {
    int client = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    request_.clear();
    char buffer[4096];
    for (ssize_t got = 0;
         !request_.contains("\r\n\r\n") && (got = ::read(client, buffer, sizeof buffer)) > 0;) {
      request_.append(buffer, static_cast<std::size_t>(got));
    }
    ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    ::shutdown(client, SHUT_WR);
    while (::read(client, buffer, sizeof buffer) > 0) {
    }
    ::close(client);
  }
}

namespace {

Task<> check_into(Context& ctx, probes::Probe& probe, std::optional<probes::CheckResult>& into) {
  probes::CheckResult outcome = co_await probe.check(ctx);
  into.emplace(std::move(outcome));
}

}  // namespace

probes::CheckResult ask(Loop& loop, probes::Probe& probe, Duration patience) {
  Context root(loop);
  Context ctx(root, loop.now() + patience);
  std::optional<probes::CheckResult> outcome;
  TaskHandle task = spawn(loop, "ask", check_into(ctx, probe, outcome));
  loop.run();
  return outcome.value_or(std::unexpected(Error(Error::Kind::failed, "the check did not end")));
}

std::string answer(Loop& loop, probes::Probe& probe, Duration patience) {
  probes::CheckResult outcome = ask(loop, probe, patience);
  return outcome ? "" : outcome.error().text();
}

probes::CheckResult ask_and_cancel(Loop& loop, probes::Probe& probe) {
  Context ctx(loop);
  std::optional<probes::CheckResult> outcome;
  TaskHandle task = spawn(loop, "ask", check_into(ctx, probe, outcome));
  loop.run_until_idle();
  ctx.cancel(Error::cancelled("the service is stopping"));
  loop.run();
  return outcome.value_or(std::unexpected(Error(Error::Kind::failed, "the check did not end")));
}

}  // namespace belfry::test
