#include "probes/listen_monitor/listen_probe.hpp"

#include <algorithm>
#include <utility>

#include "probes/listen_monitor/rhythm.hpp"
#include "system/clock.hpp"
#include "system/proc.hpp"
#include "system/sock_diag.hpp"
#include "system/unix_table.hpp"

namespace belfry::probes {

namespace {

constexpr std::uint32_t looks_per_thorough_one = 50;  // half a second at the usual period
constexpr std::string_view listens_elsewhere = "the service listens in a network namespace of its own";
constexpr std::string_view runs_elsewhere = "the service runs in a network namespace of its own";
constexpr Duration shortest_without_call = std::chrono::milliseconds(1);

std::string asked_every(Duration period) {
  return "asked every " +
         std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(period).count()) + " ms";
}

}  // namespace

ListenProbe::ListenProbe(KernelQuestions questions, const ProbeContext& about, Awaited what)
    : diag_(questions.diag),
      owners_(questions.owners),
      waiters_(questions.waiters),
      monitor_(about.monitor),
      what_(std::move(what)),
      tree_(about.tree),
      publisher_(about.publisher) {
  wait(true);
}

ListenProbe::~ListenProbe() { wait(false); }

void ListenProbe::wait(bool waiting) {
  if (std::exchange(waiting_, waiting) == waiting) return;
  if (!is_attached()) {
    waiting ? ++waiters_.count : --waiters_.count;
  } else if (waiting) {
    monitor_->await(what_, diag_);
  } else {
    monitor_->no_longer(what_);
  }
}

Task<CheckResult> ListenProbe::check(Context& ctx) {
  CheckResult outcome;
  switch (is_attached() ? monitor_->judge(what_) : ListenMonitor::Verdict::unknown) {
    case ListenMonitor::Verdict::listens: found_port_ = monitor_->proven_port(what_); break;
    case ListenMonitor::Verdict::elsewhere: elsewhere_ = listens_elsewhere; [[fallthrough]];
    case ListenMonitor::Verdict::not_yet: outcome = std::unexpected(nobody()); break;
    case ListenMonitor::Verdict::unknown: outcome = co_await ask(ctx); break;
  }
  if (outcome) {
    was_there_ = true;
    elsewhere_ = {};
  }
  wait(!outcome);
  if (outcome && what_.is_any()) settle_on(found_port_);
  co_return outcome;
}

// How long the kernel takes is in the hands of whoever has sockets that listen: unix sockets are all looked
// through. So the next search is put off by nine times what this one has taken.
SocketOwners::Sockets ListenProbe::listening(bool thorough) {
  const Duration before = system::thread_time();
  SocketOwners::Sockets sockets = search(thorough);
  work_ = system::thread_time() - before;
  return sockets;
}

SocketOwners::Sockets ListenProbe::search(bool thorough) {
  if (!what_.is_path()) return diag_.listeners(what_.port, what_.udp, thorough);
  SocketOwners::Sockets sockets = diag_.unix_listeners(what_.path);
  // A file is reached from any network namespace, but sock_diag shows the sockets of its own only.
  if (sockets.empty() && thorough && what_.path.front() != '@' &&
      system::proc::has_network_of_its_own(tree_.leader))
    sockets = system::unix_listeners_seen_by(tree_.leader, what_.path);
  return sockets;
}

// `port: any` is over with the first one: it has been published, and is what the service must go on with.
void ListenProbe::settle_on(std::uint16_t port) {
  what_.port = port;
  if (publisher_ != nullptr) publisher_->publish("PORT", std::to_string(port));
}

Task<CheckResult> ListenProbe::ask_for_any(Context& ctx) {
  if (tree_.leader == 0) co_return std::unexpected(nobody());
  if (is_thorough() && system::proc::has_network_of_its_own(tree_.leader)) elsewhere_ = runs_elsewhere;
  SocketOwners::Sockets sockets = listening(true);
  std::ranges::sort(sockets, {}, &system::ListeningSocket::inode);
  const std::optional<system::ListeningSocket> found = co_await oldest_of_ours(ctx, std::move(sockets));
  if (!found) co_return std::unexpected(nobody());
  found_port_ = found->port;
  if (monitor_ != nullptr) monitor_->prove(what_, {*found});
  co_return CheckResult{};
}

// `sockets` by number, which is by age but for those that other CPUs have made. Most of the host's are
// others': so they are asked for together, and then by halves.
Task<std::optional<system::ListeningSocket>> ListenProbe::oldest_of_ours(Context& ctx,
                                                                         SocketOwners::Sockets sockets) {
  if (sockets.empty()) co_return std::nullopt;
  const bool ours = co_await owners_.are_held_by(ctx, tree_, sockets, memory_);
  if (!ours) co_return std::nullopt;
  while (sockets.size() > 1 && !ctx.cancelled()) {
    const auto middle = sockets.begin() + static_cast<std::ptrdiff_t>(sockets.size() / 2);
    SocketOwners::Memory fresh;
    SocketOwners::Sockets older(sockets.begin(), middle);
    const bool is_older = co_await owners_.are_held_by(ctx, tree_, older, fresh);
    is_older ? sockets.erase(middle, sockets.end()) : sockets.erase(sockets.begin(), middle);
  }
  if (ctx.cancelled()) co_return std::nullopt;
  co_return sockets.front();
}

Task<CheckResult> ListenProbe::ask(Context& ctx) {
  if (what_.is_any()) {
    CheckResult found = co_await ask_for_any(ctx);
    co_return found;
  }
  SocketOwners::Sockets sockets = listening(false);
  bool ours = co_await is_ours(ctx, sockets);
  if (ours) co_return CheckResult{};
  // Another one may be nearer: on another address, or in the same group of a shared port.
  const bool thorough = is_thorough();
  if (thorough) {
    sockets = listening(true);
    ours = co_await is_ours(ctx, sockets);
    if (ours) co_return CheckResult{};
  }
  if (thorough && sockets.empty() && elsewhere_.empty() && system::proc::has_network_of_its_own(tree_.leader))
    elsewhere_ = runs_elsewhere;
  if (sockets.empty()) co_return std::unexpected(nobody());
  CheckResult refused = co_await refuse(ctx, std::move(sockets));
  co_return refused;
}

Task<CheckResult> ListenProbe::refuse(Context& ctx, SocketOwners::Sockets sockets) {
  const SocketOwners::Holder holder = co_await owners_.holder_of(
      ctx, std::move(sockets), SocketOwners::whenever, SocketOwners::InRest::give_up);
  const std::string who =
      holder.process.pid != 0
          ? holder.text()
          : std::string("another process (`ss ") + (what_.is_path() ? "-lxp" : "-lnp") + "` shows which)";
  co_return std::unexpected(Error::failed(where() + " is held by " + who + ", not by this service"));
}

Error ListenProbe::nobody() const {
  std::string text = what_.is_any()
                         ? std::string("the service listens on no TCP port")
                         : std::string("nobody listens ") + (what_.is_path() ? "at " : "on ") + where();
  if (!elsewhere_.empty()) text.append(": ").append(elsewhere_);
  return Error::failed(std::move(text));
}

Task<bool> ListenProbe::is_ours(Context& ctx, SocketOwners::Sockets sockets) {
  if (sockets.empty()) co_return false;
  if (tree_.leader == 0) co_return true;
  const auto is_known = [this](const auto& one) { return one.cookie != 0 && monitor_->is_proof(one.cookie); };
  if (monitor_ != nullptr && std::ranges::any_of(sockets, is_known)) co_return true;
  const bool ours = co_await owners_.are_held_by(ctx, tree_, sockets, memory_);
  if (ours && monitor_ != nullptr) monitor_->prove(what_, sockets);
  co_return ours;
}

// After an event the service is known to have called, and what was there once is asked for seldom; otherwise
// a thorough look comes now and then.
bool ListenProbe::is_thorough() {
  return was_there_ || (is_attached() && monitor_->has_heard()) || ++looks_ % looks_per_thorough_one == 0;
}

std::optional<Duration> ListenProbe::next_look(std::uint32_t looks_since_event) const {
  if (!is_attached()) return std::max(port_period(waiters_.count), 9 * work_);
  Duration next = Duration::max();
  if (looks_since_event > 0) {
    next = probes::next_look(looks_since_event - 1).value_or(Duration::max());
    // Without the very socket a look is a search for who listens, too dear to be made turn after turn.
    if (!monitor_->is_in_call()) next = std::max({next, shortest_without_call, 9 * work_});
  }
  return monitor_->may_miss() ? std::min(next, net_period) : next;
}

std::string ListenProbe::where() const {
  if (what_.is_path()) return what_.path;
  if (what_.is_any()) return "any port";
  return (what_.udp ? "udp port " : "port ") + std::to_string(what_.port);
}

Sighting ListenProbe::sighting() const {
  return {.port = what_.port, .pid = monitor_ == nullptr ? 0 : monitor_->proven_caller(what_)};
}

std::string ListenProbe::method() const {
  const std::string name = (what_.is_path() ? "unix " : "") + where() + ": ";
  const std::string polled = polling();
  if (is_attached()) return name + "kernel event (seccomp)" + (polled.empty() ? "" : ", " + polled);
  return name + (polled.empty() ? asked_every(port_period(waiters_.count)) : polled);
}

std::string ListenProbe::polling() const {
  if (is_attached())
    return monitor_->may_miss() ? asked_every(net_period) + " as well (it uses io_uring)" : "";
  if (monitor_ == nullptr || monitor_->why_unavailable().empty()) return {};
  return asked_every(port_period(waiters_.count)) + " (" + monitor_->why_unavailable() + ")";
}

ProbeContext whose(const ProbeContext& about, bool anybody) {
  if (!anybody) return about;
  return {.service = about.service, .tree = {}, .launch = about.launch};
}

}  // namespace belfry::probes
