#include "daemon/http/wire/server.hpp"

#include <cassert>
#include <cerrno>
#include <list>
#include <utility>

#include "channels/asio_bridge.hpp"
#include "channels/handshake.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "daemon/http/wire/session.hpp"
#include "system/listen_socket.hpp"
#include "system/stream_socket.hpp"

namespace belfry::daemon::http {
namespace {

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

// One address that is listened on.
// Cancellation: Shared::draining ends its accept task.
struct Address {
  Address(Loop& loop, system::ListenSocket bound, Access access_)
      : socket(std::move(bound)),
        access(access_),
        descriptor(loop.executor(), socket.fd()),
        admission(loop) {}
  ~Address() { descriptor.release(); }  // the ListenSocket closes it

  system::ListenSocket socket;
  Access access;
  bool tls = false;
  Descriptor descriptor;
  Admission admission;
};

enum class Shed : std::uint8_t { one, queue_empty, stuck };

// Takes one connection out of the queue and closes it.
Shed shed(system::DescriptorReserve& reserve, int listener) {
  reserve.free_last();
  system::OwnedFd taken = system::accept_connection(listener);
  const int error = errno;
  const Shed outcome = taken ? Shed::one : error == EAGAIN ? Shed::queue_empty : Shed::stuck;
  taken.close();
  reserve.refill();
  return outcome;
}

constexpr int kernel_keeps =
    128 * 1024;  // of answers on their way, for each TCP connection; it takes twice that
constexpr auto out_of_everything_pause = std::chrono::milliseconds(100);

}  // namespace

struct Server::State {
  State(Context& parent, RequestHandler& handler, Access access, ServerLimits limits)
      : shared(parent, handler, limits), default_access(access) {}

  Task<void> accept_from(Address& address);
  Task<void> shed_one(Address& address);
  Task<void> pause();
  Task<void> wait_for_place(Address& address);
  Task<void> wait_for_connection(Address& address);
  void welcome(Address& address, system::OwnedFd fd, const system::Peer& peer);
  [[nodiscard]] const system::ListenSocket& socket(std::size_t index) const;

  Shared shared;
  Access default_access;
  std::unique_ptr<tls::Server> tls;  // null: none is spoken
  std::list<Address> addresses;
};

Task<void> Server::State::accept_from(Address& address) {
  Context& accepting = shared.draining;
  constexpr std::size_t most_in_a_row = 64;
  for (std::size_t in_a_row = 0; !accepting.cancelled();) {
    if (address.admission.open >= shared.limits.connections) {
      co_await wait_for_place(address);
      continue;
    }
    system::Peer peer;
    system::OwnedFd fd = system::accept_connection(address.socket.fd(), &peer);
    const int error = errno;
    if (fd) {
      welcome(address, std::move(fd), peer);
      if (++in_a_row % most_in_a_row == 0) co_await TurnShare::let_io_go_first(accepting);
    } else if (error == EAGAIN) {
      shared.reserve.refill();  // what was lent, and found the queue empty
      co_await wait_for_connection(address);
    } else if (error == EMFILE || error == ENFILE) {
      if (!shared.reserve.lend()) co_await shed_one(address);
    } else if (error == ENOMEM || error == ENOBUFS) {
      co_await pause();
    }
    // Anything else is the fault of that one connection (accept(2): treat them like EAGAIN, try again).
  }
}

Task<void> Server::State::shed_one(Address& address) {
  switch (shed(shared.reserve, address.socket.fd())) {
    case Shed::one: shared.handler.happened(ConnectionEvent::refused); break;
    case Shed::queue_empty: co_await wait_for_connection(address); break;
    case Shed::stuck: co_await pause(); break;
  }
}

// For what nobody tells the end of.
Task<void> Server::State::pause() {
  const Result<void> slept = co_await sleep_for(shared.draining, out_of_everything_pause);
  static_cast<void>(slept);
}

// At the limit, when somebody wants to come in, somebody makes room; with nobody who could, the queue of the
// kernel waits until somebody can.
Task<void> Server::State::wait_for_place(Address& address) {
  co_await wait_for_connection(address);
  if (address.admission.open < shared.limits.connections) co_return;
  Admission& admission = address.admission;
  admission.room.consume();  // of before
  admission.crowded = !admission.make_room();
  if (!admission.crowded) shared.handler.happened(ConnectionEvent::shed);
  const Result<void> room = co_await admission.room.wait(shared.draining);
  static_cast<void>(room);
  admission.crowded = false;
}

Task<void> Server::State::wait_for_connection(Address& address) {
  auto readable = address.descriptor.async_wait(Descriptor::wait_read, asio::deferred);
  const auto [error] = co_await async(shared.draining, std::move(readable));
  static_cast<void>(error);
}

void Server::State::welcome(Address& address, system::OwnedFd fd, const system::Peer& peer) {
  if (!address.socket.is_unix()) system::limit_sending(fd.get(), kernel_keeps);
  ++address.admission.open;
  const Caller caller{address.access, peer};
  std::unique_ptr<tls::ServerSession> secured;
  if (address.tls) {
    secured = tls->accept();
    if (const std::string trouble = tls->take_trouble(); !trouble.empty())
      shared.handler.remark("cannot use the new certificate of http.tls, and goes on with the old one: " +
                            trouble);
  }
  spawn(shared.tasks, "http session",
        serve_connection(shared, address.admission, std::move(fd), std::move(secured), caller));
}

Server::Server(Context& parent, RequestHandler& handler, Access access, ServerLimits limits)
    : state_(std::make_unique<State>(parent, handler, access, limits)) {}

Server::~Server() = default;

Result<void> Server::listen(std::string_view address) { return listen(address, state_->default_access); }

Result<void> Server::listen(std::string_view address, Access access, std::vector<gid_t> groups) {
  auto parsed = system::parse_listen_address(address);
  if (!parsed) return std::unexpected(parsed.error());
  parsed->groups = std::move(groups);
  auto bound = system::ListenSocket::bind(*parsed);
  if (!bound) return std::unexpected(bound.error());
  Address& added = state_->addresses.emplace_back(state_->shared.loop, std::move(*bound), access);
  added.tls = state_->tls != nullptr && !added.socket.is_unix();
  spawn(state_->shared.tasks, "http accept", state_->accept_from(added));
  return {};
}

void Server::speak_tls(std::unique_ptr<tls::Server> tls) { state_->tls = std::move(tls); }

const system::ListenSocket& Server::State::socket(std::size_t index) const {
  assert(index < addresses.size());
  return std::next(addresses.begin(), static_cast<std::ptrdiff_t>(index))->socket;
}

std::uint16_t Server::port(std::size_t index) const { return state_->socket(index).port(); }
pid_t Server::predecessor(std::size_t index) const { return state_->socket(index).predecessor(); }

Task<Result<void>> Server::stop(Context& patience) {
  Shared& shared = state_->shared;
  shared.draining.cancel(Error::closed("the server stops"));
  Result<void> stopped = co_await shared.tasks.wait(patience);
  if (stopped || shared.tasks.count() == 0) co_return stopped;
  shared.sessions.cancel(Error::closed("the server stops"));
  // Every wait of a session ends with that context, so this one needs no way out of its own.
  Context joining(shared.loop);
  const Result<void> joined = co_await shared.tasks.wait(joining);
  static_cast<void>(joined);
  co_return stopped;
}

}  // namespace belfry::daemon::http
