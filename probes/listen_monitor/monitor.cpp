#include "probes/listen_monitor/monitor.hpp"

#include <algorithm>
#include <utility>

#include "probes/listen_monitor/rhythm.hpp"

namespace belfry::probes {

namespace {

using Protocol = system::SocketIdentity::Protocol;

constexpr int looks_at_once = 4;
constexpr std::size_t most_calls = 4;  // a service with several listeners makes their calls in a row

}  // namespace

// A UDP socket gets its port by the very call that was caught.
bool ListenMonitor::could_be(const Call& call, const Awaited& what) {
  const system::SocketIdentity& socket = call.socket;
  if (what.is_path()) return socket.path == what.path;
  if (socket.protocol == Protocol::none || socket.is_udp() != what.udp) return false;
  return what.is_any() || socket.port == what.port || (what.udp && socket.port == 0);
}

void ListenMonitor::await(const Awaited& what, system::SockDiag& diag) {
  awaited_.push_back(what);
  diag_ = &diag;
}

void ListenMonitor::no_longer(const Awaited& what) {
  if (const auto it = std::ranges::find(awaited_, what); it != awaited_.end()) awaited_.erase(it);
  if (awaited_.empty()) diag_ = nullptr;
  std::erase_if(calls_, [&](const Call& call) { return !is_wanted(call); });
}

bool ListenMonitor::is_wanted(const Call& call) const {
  return std::ranges::any_of(awaited_, [&](const Awaited& what) { return could_be(call, what); });
}

// A file is reached from any network namespace.
bool ListenMonitor::is_elsewhere(const Call& call) const {
  if (!call.socket.path.empty() && call.socket.path.front() != '@') return false;
  return call.socket.network != 0 && network_ != 0 && call.socket.network != network_;
}

bool ListenMonitor::caught(const system::CaughtCall& call) {
  const bool interesting = take(call);
  has_heard_ = has_heard_ || interesting;
  return interesting;
}

void ListenMonitor::forget(const system::CaughtCall& call) {
  std::erase_if(calls_, [&](const Call& one) { return one.id == call.id; });
}

bool ListenMonitor::take(const system::CaughtCall& call) {
  if (call.kind == system::CaughtCall::Kind::io_uring) {
    const bool news = !std::exchange(uses_io_uring_, true);
    return news && is_wanted();
  }
  const bool bound = call.kind == system::CaughtCall::Kind::bind;
  const auto alike = [&](const Awaited& what) { return what.udp == bound; };
  // Nothing speaks against it. And only another call may tell that a unix socket which was there is no more.
  if (!call.socket) return std::ranges::any_of(awaited_, alike) || (!bound && has_path_proof());
  Call made{.id = call.id, .looks = 0, .caller = call.caller, .socket = *call.socket};
  if (made.socket.is_udp() == bound && is_wanted(made)) {
    // Its caller stands still and cannot listen yet. But the way through the kernel is warm when the answer
    // counts: the first question after a quiet second takes ten times as long as the next one.
    if (made.socket.port != 0) (void)diag_->find(made.socket, made.socket.port);
    keep(std::move(made));
    return true;
  }
  // A unix socket may have been bound by another spelling of the path.
  const auto is_path = [](const Awaited& what) { return what.is_path(); };
  return !bound && made.socket.protocol == Protocol::none && std::ranges::any_of(awaited_, is_path);
}

void ListenMonitor::keep(Call call) {
  if (calls_.size() == most_calls) calls_.erase(calls_.begin());
  calls_.push_back(std::move(call));
}

ListenMonitor::Verdict ListenMonitor::judge(const Awaited& what) {
  Verdict verdict = Verdict::unknown;
  std::erase_if(calls_, [&](Call& call) {
    if (verdict == Verdict::listens || !could_be(call, what)) return false;
    if (is_elsewhere(call)) {
      verdict = Verdict::elsewhere;
      return true;
    }
    const bool thorough = call.looks >= looks_in_turns;  // now it is the loop's time that is dear
    const std::uint16_t port = call.socket.port != 0 ? call.socket.port : what.port;
    auto found = diag_->find(call.socket, port, thorough);
    // Its caller is in the kernel right now: to ask again at once is cheaper than to come back in a turn.
    for (int i = 1; i < looks_at_once && !found && call.looks == 0; ++i)
      found = diag_->find(call.socket, port, thorough);
    if (found) {
      prove(what, {*found}, call.caller);
      verdict = Verdict::listens;
      return true;
    }
    if (++call.looks >= looks_at_call) return true;
    verdict = Verdict::not_yet;
    return false;
  });
  return verdict;
}

bool ListenMonitor::has_path_proof() const {
  return std::ranges::any_of(proofs_, [](const Proof& proof) { return proof.what.is_path(); });
}

// A unix socket has no cookie here: its end is not told.
void ListenMonitor::prove(const Awaited& what, const std::vector<system::ListeningSocket>& sockets,
                          pid_t caller) {
  const auto is_known = [&](const auto& socket) {
    return std::ranges::any_of(
        proofs_, [&](const Proof& proof) { return proof.what == what && proof.cookie == socket.cookie; });
  };
  if (std::ranges::all_of(sockets, is_known)) return;
  const bool is_news =
      std::ranges::any_of(sockets, [&](const auto& socket) { return !is_proof(socket.cookie); });
  std::erase_if(proofs_, [&](const Proof& proof) { return proof.what == what; });
  for (const auto& socket : sockets)
    proofs_.push_back({.what = what, .cookie = socket.cookie, .port = socket.port, .caller = caller});
  if (is_news && proof_listener_ != nullptr && !what.is_path()) proof_listener_->proven(*this);
}

std::uint16_t ListenMonitor::proven_port(const Awaited& what) const {
  const auto found = std::ranges::find(proofs_, what, &Proof::what);
  return found == proofs_.end() ? std::uint16_t{0} : found->port;
}

pid_t ListenMonitor::proven_caller(const Awaited& what) const {
  const auto found = std::ranges::find(proofs_, what, &Proof::what);
  return found == proofs_.end() ? 0 : found->caller;
}

std::vector<std::uint64_t> ListenMonitor::proofs() const {
  std::vector<std::uint64_t> cookies;
  for (const Proof& proof : proofs_) {
    if (!proof.what.is_path() && std::ranges::find(cookies, proof.cookie) == cookies.end())
      cookies.push_back(proof.cookie);
  }
  return cookies;
}

bool ListenMonitor::is_proof(std::uint64_t cookie) const {
  return std::ranges::find(proofs_, cookie, &Proof::cookie) != proofs_.end();
}

}  // namespace belfry::probes
