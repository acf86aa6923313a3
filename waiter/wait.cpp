#include "waiter/wait.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <utility>

#include "channels/loop.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "client/client.hpp"
#include "client/wait_schedule.hpp"
#include "config/model/exit_codes.hpp"
#include "probes/factory.hpp"
#include "system/descriptors.hpp"
#include "system/signals.hpp"
#include "waiter/daemon_request.hpp"
#include "waiter/socket_probe.hpp"

namespace belfry::waiter {
namespace {

using client::Expected;
using client::Reply;

constexpr std::size_t longest_query = std::size_t{6} << 10;  // of the 8 KiB that a request's head may have
constexpr std::size_t kept_descriptors = 32;                 // the loop's, name servers', the daemon's
constexpr Duration briefly = std::chrono::seconds(1);

// The answers of /v1/wait that are no 200.
int exit_code_of(int status) {
  switch (status) {
    case 400:
    case 404: return exit_code::usage;
    case 403: return exit_code::not_permitted;
    default: return exit_code::unavailable;
  }
}

Failure refusal(const Reply& reply) {
  std::string next_step;
  if (reply.status == 404) next_step = "belfry status shows all services";
  if (reply.status == 424) next_step = "belfry status shows who is to blame";
  return {exit_code_of(reply.status), client::detail_of(reply), next_step};
}

// Owner: wait(). Lifecycle: run() once. Cancellation: by its own context, when it is decided, the time is
// over or a signal says so.
class Wait final : system::SignalListener {
 public:
  Wait(Loop& loop, Request request, Listener& listener)
      : loop_(loop),
        request_(std::move(request)),
        listener_(listener),
        began_(loop.now()),
        tally_(loop, request_.any),
        slots_(loop, system::descriptor_limit() - std::min(system::descriptor_limit() / 2, kept_descriptors),
               "attempts"),
        factory_(loop),
        resolver_(loop),
        signals_(loop),
        root_(loop),
        asking_(root_),
        tasks_(loop, "asking", WaitGroup::Thrown::told_at_once) {
    loop_.on_unread_error(
        [this](const std::string& who, const Error& error) { broken(who + ": " + error.text()); });
    signals_.set_listener(this);
  }
  ~Wait() {
    loop_.on_unread_error({});
    signals_.set_listener(nullptr);
  }

  Outcome run() {
    if (auto made = make(); !made) return {.end = Outcome::End::failed, .failure = made.error()};
    spawn(whole_, "wait", until_decided());
    loop_.run();
    if (is_broken_) loop_.abandon();  // who is left waits for nothing any more
    return outcome_;
  }

 private:
  struct Asked {
    std::unique_ptr<probes::Probe> probe;
    std::size_t index;
  };
  struct Group {
    std::string target;  // of the request
    std::size_t index;
  };

  Expected<void> make();
  Result<std::unique_ptr<probes::Probe>> make_probe(const Target& target);
  void make_groups();
  // A bug of its own, and no answer of anybody's.
  void broken(const std::string& what) {
    is_broken_ = true;
    outcome_ = {.end = Outcome::End::failed,
                .failure = Failure{exit_code::internal, "internal error: " + what, {}}};
    loop_.stop();
  }
  Task<void> until_decided();
  Task<void> wait_for_services(const Group& group);
  Task<void> tell_all_the_while(Context& ctx);
  Task<void> look_who_is_to_blame(Context& ctx);
  [[nodiscard]] std::vector<const Awaited*> unmet() const;
  [[nodiscard]] Outcome outcome() const;
  void on_signal(const system::SignalEvent& event) override;

  Loop& loop_;
  Request request_;
  Listener& listener_;
  TimePoint began_;
  Tally tally_;
  Semaphore slots_;
  probes::NativeFactory factory_;
  probes::Resolver resolver_;  // for the daemon's socket, which has no name to be found
  system::Signals signals_;
  Context root_;
  Context asking_;
  std::vector<Asked> asked_;
  std::vector<Group> groups_;
  WaitGroup tasks_;
  WaitGroup whole_{loop_, "wait", WaitGroup::Thrown::told_at_once};
  Outcome outcome_;
  bool is_broken_ = false;
};

Expected<void> Wait::make() {
  for (Target& target : request_.targets) {
    auto made = make_probe(target);
    if (!made) return std::unexpected(Failure{exit_code::usage, made.error().text(), "belfry wait --help"});
    asked_.push_back({std::move(*made), tally_.add(target.shown)});
  }
  make_groups();
  return {};
}

Result<std::unique_ptr<probes::Probe>> Wait::make_probe(const Target& target) {
  if (target.probe.kind == config::Probe::Kind::unix_socket)
    return std::make_unique<SocketProbe>(resolver_, target.probe.target);
  return factory_.make(target.probe, {.service = target.shown, .tree = {}});
}

// As many names in one request as fit into its head.
void Wait::make_groups() {
  const Services& services = request_.services;
  std::string more;
  if (!services.condition.empty()) more += "&condition=" + client::encoded(services.condition);
  if (request_.any) more += "&any=1";
  if (request_.attempts.negated) more += "&not=1";
  for (std::size_t i = 0; i < services.names.size();) {
    std::string query, shown;
    std::vector<std::string> names;
    for (; i < services.names.size() && query.size() < longest_query - 256; ++i) {
      query += (query.empty() ? "?service=" : "&service=") + client::encoded(services.names[i]);
      (shown += names.empty() ? "" : ", ") += services.names[i];
      names.push_back(services.names[i]);
    }
    groups_.push_back({"/v1/wait" + query + more, tally_.add(std::move(shown), std::move(names))});
  }
}

Task<void> Wait::until_decided() {
  for (Asked& one : asked_)
    spawn(tasks_, "target",
          ask_until_settled(asking_, *one.probe, request_.attempts, slots_, tally_, one.index));
  for (const Group& group : groups_) spawn(tasks_, "services", wait_for_services(group));
  if (request_.pace != Pace::nothing) spawn(tasks_, "telling", tell_all_the_while(asking_));
  const TimePoint end = request_.timeout ? saturating_add(began_, *request_.timeout) : TimePoint::max();
  Context limited(root_, end);
  const Result<void> decided = co_await tally_.decided().wait(limited);
  asking_.cancel();
  const Result<void> joined = co_await tasks_.wait(root_);
  static_cast<void>(joined);
  if (!decided) co_await look_who_is_to_blame(root_);
  outcome_ = outcome();
  loop_.stop();
}

Task<void> Wait::wait_for_services(const Group& group) {
  Expected<Reply> reply = co_await ask_daemon(asking_, resolver_, request_.services.socket, group.target);
  if (reply && reply->status == 200) {
    tally_.met(group.index);
    co_return;
  }
  if (asking_.cancelled()) co_return;
  Failure why = reply ? refusal(*reply) : reply.error();
  if (why.exit_code == exit_code::unavailable)
    tally_.hopeless(group.index, std::move(why));
  else
    tally_.refused(std::move(why));
}

Task<void> Wait::tell_all_the_while(Context& ctx) {
  client::WaitSchedule reminders(began_);
  const bool line = request_.pace == Pace::line;
  for (TimePoint next = began_;;) {
    // A line that was missed, while the terminal or the machine slept, is not made up for.
    next = line ? std::max(next + briefly, loop_.now()) : reminders.next();
    const Result<void> slept = co_await sleep_until(ctx, next);
    if (!slept) co_return;
    const bool due = reminders.look(loop_.now()) == client::WaitSchedule::Due::reminder;
    if (due || next == began_ + briefly) co_await look_who_is_to_blame(ctx);
    if (ctx.cancelled()) co_return;
    const auto still = unmet();
    listener_.still_waiting(loop_.now() - began_, still);
  }
}

// Of services the daemon knows more than this side: who of those that they wait for is late, and why.
Task<void> Wait::look_who_is_to_blame(Context& ctx) {
  if (groups_.empty()) co_return;
  Context limited(ctx, loop_.now() + briefly);
  Expected<Reply> reply = co_await ask_daemon(limited, resolver_, request_.services.socket, "/v1/services");
  if (!reply || reply->status != 200) co_return;
  for (const Group& group : groups_)
    tally_.not_yet(group.index, listener_.blame(reply->body, tally_.all()[group.index].services));
}

std::vector<const Awaited*> Wait::unmet() const {
  std::vector<const Awaited*> found;
  for (const Awaited& one : tally_.all()) {
    if (one.state != Awaited::State::met) found.push_back(&one);
  }
  return found;
}

Outcome Wait::outcome() const {
  if (tally_.is_so()) return {};
  if (tally_.signal() != 0) return {.end = Outcome::End::interrupted, .signal = tally_.signal()};
  if (tally_.failure()) return {.end = Outcome::End::failed, .failure = *tally_.failure()};
  Outcome late{.end = Outcome::End::timed_out};
  for (const Awaited* one : unmet()) late.unmet.push_back(*one);
  return late;
}

void Wait::on_signal(const system::SignalEvent& event) {
  if (sigismember(&system::SignalBlock::entry().ignored, event.number) == 1) return;  // nohup
  for (const int deadly : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    if (event.number == deadly) tally_.interrupted(event.number);
  }
}

}  // namespace

Outcome wait(Request request, Listener& listener) {
  system::raise_descriptor_limit();
  Loop loop;
  Wait whole(loop, std::move(request), listener);
  return whole.run();
}

}  // namespace belfry::waiter
