#include "probes/listen_watch/listen_probe.hpp"

#include <algorithm>
#include <utility>

#include "probes/listen_watch/rhythm.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

namespace {

constexpr std::uint32_t looks_per_thorough_one = 50;  // half a second at the usual period
constexpr Duration shortest_without_copy = std::chrono::milliseconds(1);

std::string text_of(Duration period) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(period).count()) + " ms";
}

}  // namespace

ListenProbe::ListenProbe(system::SockDiag& diag, PortWaiters& waiters, const ProbeContext& about,
                         Awaited what)
    : diag_(diag), waiters_(waiters), ear_(about.ear), what_(std::move(what)), tree_(about.tree) {
  wait(true);
}

ListenProbe::~ListenProbe() { wait(false); }

void ListenProbe::wait(bool waiting) {
  if (std::exchange(waiting_, waiting) == waiting) return;
  if (!is_trapped()) {
    waiting ? ++waiters_.count : --waiters_.count;
  } else if (waiting) {
    ear_->await(what_);
  } else {
    ear_->no_longer(what_);
  }
}

Task<Outcome> ListenProbe::check(Context&) {
  Outcome outcome = look();
  was_there_ = was_there_ || outcome;
  wait(!outcome);
  co_return outcome;
}

Outcome ListenProbe::look() {
  const ListenEar::Verdict heard = is_trapped() ? ear_->judge(what_) : ListenEar::Verdict::unknown;
  if (heard == ListenEar::Verdict::listens) return {};
  std::vector<system::ListeningSocket> sockets;
  if (heard == ListenEar::Verdict::unknown) {
    sockets = what_.is_path() ? diag_.unix_listeners(what_.path) : diag_.listeners(what_.port, what_.udp);
    if (is_ours(sockets)) return {};
    // Another one may be nearer: on another address, or in the same group of a shared port.
    if (!what_.is_path() && is_thorough()) sockets = diag_.listeners(what_.port, what_.udp, true);
    if (is_ours(sockets)) return {};
  }
  if (sockets.empty()) {
    const char* preposition = what_.is_path() ? "at " : "on ";
    return std::unexpected(Error(Error::Kind::failed, "nobody listens " + (preposition + where())));
  }
  return std::unexpected(
      Error(Error::Kind::failed,
            where() + " is held by " + holder_.name(sockets, what_.is_path()) + ", not by this service"));
}

bool ListenProbe::is_ours(const std::vector<system::ListeningSocket>& sockets) const {
  return !sockets.empty() && (tree_.leader == 0 || holds_one(tree_, sockets));
}

// After an event the service is known to have called, and what was there once is asked for seldom; otherwise
// a thorough look comes now and then.
bool ListenProbe::is_thorough() {
  return was_there_ || (is_trapped() && ear_->has_heard()) || ++looks_ % looks_per_thorough_one == 0;
}

std::optional<Duration> ListenProbe::next_look(std::uint32_t looks_since_event) const {
  if (!is_trapped()) return port_period(waiters_.count);
  Duration next = Duration::max();
  if (looks_since_event > 0) {
    next = probes::next_look(looks_since_event - 1).value_or(Duration::max());
    // Without a copy a look is a question to the kernel, too dear to be asked turn after turn.
    if (!ear_->holds_copy()) next = std::max(next, shortest_without_copy);
  }
  return ear_->may_miss() ? std::min(next, net_period) : next;
}

std::string ListenProbe::where() const {
  if (what_.is_path()) return what_.path;
  return (what_.udp ? "udp port " : "port ") + std::to_string(what_.port);
}

std::string ListenProbe::method() const {
  const std::string name = (what_.is_path() ? "unix " : "") + where() + ": ";
  if (is_trapped())
    return name + "kernel event (seccomp)" +
           (ear_->may_miss() ? ", asked every " + text_of(net_period) + " as well (it uses io_uring)" : "");
  const std::string why = ear_ == nullptr || ear_->why_deaf().empty() ? "" : " (" + ear_->why_deaf() + ")";
  return name + "asked every " + text_of(port_period(waiters_.count)) + why;
}

}  // namespace belfry::probes
