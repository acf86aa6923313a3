#include "tests/simulation/plan.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "tests/support/stack_builder.hpp"

namespace belfry::simulation {

using config::Condition;
using config::OnLoss;
using config::RestartPolicy;
using config::ServiceType;
using daemon::ServiceCommand;
using namespace std::chrono_literals;

std::uint64_t Dice::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

std::string name_of(std::uint32_t number) { return "s" + std::to_string(number); }
std::uint32_t number_of(std::string_view name) {
  return static_cast<std::uint32_t>(std::strtoul(std::string(name.substr(1)).c_str(), nullptr, 10));
}

namespace {

constexpr const char* hook_names[] = {"./pre_start", "./post_start", "./pre_stop", "./post_stop"};

bool has_command(ServiceType type) { return type == ServiceType::daemon || type == ServiceType::oneshot; }

PlannedEdge plan_edge(Dice& dice, const PlannedService& from, const PlannedService& to) {
  PlannedEdge edge{.on = to.number};
  if (to.type == ServiceType::oneshot) {
    edge.condition = dice.chance(80)   ? Condition::completed
                     : dice.chance(50) ? Condition::stopped
                                       : Condition::started;
  } else if (to.type == ServiceType::daemon && dice.chance(10)) {
    edge.condition = Condition::started;
  }
  if (to.type == ServiceType::gate && !to.edges.empty() && dice.chance(30)) {
    edge.condition = Condition::ready;
    edge.quorum = static_cast<std::uint32_t>(dice.below(to.edges.size() + 1));
  }
  if (to.bells > 0 && dice.chance(40)) {
    edge.condition = Condition::own_bell;
    edge.bell = static_cast<std::uint32_t>(dice.below(to.bells));
  }
  if (from.type == ServiceType::gate) return edge;
  if (dice.chance(30)) {
    edge.on_loss = dice.chance(70) ? OnLoss::restart : OnLoss::stop;
    if (dice.chance(50)) edge.loss_after = dice.between(0s, 2s);
  }
  edge.required = !dice.chance(10);
  if (dice.chance(5)) edge.timeout = dice.between(1s, 30s);
  return edge;
}

PlannedService plan_service(Dice& dice, std::uint32_t number, const std::vector<PlannedService>& before) {
  PlannedService made{.number = number, .edges = {}};
  const auto kind = dice.below(100);
  made.type = kind < 60   ? ServiceType::daemon
              : kind < 80 ? ServiceType::oneshot
              : kind < 92 ? ServiceType::gate
                          : ServiceType::external;
  if (made.type == ServiceType::external) made.readiness = Readiness::probe;
  if (made.type == ServiceType::daemon) made.readiness = static_cast<Readiness>(dice.below(7));
  made.live = made.type == ServiceType::daemon && dice.chance(10);
  made.essential = dice.chance(3);
  if (made.readiness != Readiness::none && dice.chance(20)) made.ready_timeout = dice.between(100ms, 10s);
  const auto policy = dice.below(100);
  made.policy = policy < 70   ? RestartPolicy::on_failure
                : policy < 85 ? RestartPolicy::always
                              : RestartPolicy::no;
  if (made.type == ServiceType::oneshot && dice.chance(60)) made.policy = RestartPolicy::no;
  if (dice.chance(15)) made.limit = 1 + static_cast<std::uint32_t>(dice.below(5));
  made.stop_timeout = dice.between(10ms, 8s);
  made.trouble = dice.chance(40) ? 0 : static_cast<unsigned>(dice.below(70));
  const std::uint64_t edges =
      std::min<std::uint64_t>(before.size(), dice.below(made.type == ServiceType::gate ? 6 : 4));
  for (std::uint64_t i = 0; i < edges; ++i) {
    const PlannedService& to = before[dice.below(before.size())];
    const bool twice =
        std::ranges::any_of(made.edges, [&](const PlannedEdge& e) { return e.on == to.number; });
    if (!twice) made.edges.push_back(plan_edge(dice, made, to));
  }
  if (has_command(made.type) && dice.chance(20)) made.hooks = static_cast<std::uint32_t>(dice.below(16));
  if (made.type != ServiceType::gate && dice.chance(20))
    made.bells = 1 + static_cast<std::uint32_t>(dice.below(2));
  if (made.type == ServiceType::gate)
    made.quorum = static_cast<std::uint32_t>(dice.below(made.edges.size() + 1));
  return made;
}

PlannedEvent plan_event(Dice& dice, std::uint64_t services, Duration until) {
  PlannedEvent made{.at = dice.between(0s, until)};
  const auto what = dice.below(100);
  made.what = what < 60   ? PlannedEvent::What::command
              : what < 75 ? PlannedEvent::What::wait
              : what < 90 ? PlannedEvent::What::exit
                          : PlannedEvent::What::reload;
  static constexpr ServiceCommand commands[] = {ServiceCommand::start, ServiceCommand::start,
                                                ServiceCommand::stop, ServiceCommand::restart,
                                                ServiceCommand::kill};
  made.command = commands[dice.below(std::size(commands))];
  made.service = static_cast<std::uint32_t>(dice.below(services));
  made.only = dice.chance(20);
  made.condition = static_cast<Condition>(dice.below(4));
  if (dice.chance(30)) made.patience = dice.between(0s, 10s);
  return made;
}

// The daemon itself stands still: stopped, frozen, or busy for long.
PlannedEvent plan_pause(Dice& dice, Duration until) {
  return {.at = dice.between(0s, until),
          .what = PlannedEvent::What::pause,
          .patience = dice.chance(50) ? dice.between(0ms, 200ms) : dice.between(0s, 10s)};
}

}  // namespace

Plan make_plan(std::uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  // Mostly small ones: they find as much, and more of them fit into a second.
  const std::uint64_t count = 1 + (dice.chance(15) ? dice.below(60) : dice.below(14));
  for (std::uint32_t i = 0; i < count; ++i) plan.services.push_back(plan_service(dice, i, plan.services));
  const bool calms_down = dice.chance(60);
  const Duration busy = dice.between(0s, dice.chance(30) ? Duration(100ms) : Duration(40s));
  const std::uint64_t events = dice.below(dice.chance(50) ? 5 : 40);
  for (std::uint64_t i = 0; i < events; ++i) plan.events.push_back(plan_event(dice, count, busy));
  // From dice of their own: the rest of a history is what it was before there were pauses.
  Dice mischief(seed, 0, 0, 12);
  plan.deaths_are_noticed_late = mischief.chance(40);
  for (std::uint64_t i = mischief.chance(30) ? 1 + mischief.below(4) : 0; i > 0; --i) {
    const PlannedEvent pause = plan_pause(mischief, busy);
    plan.events.insert(std::ranges::upper_bound(plan.events, pause.at, {}, &PlannedEvent::at), pause);
  }
  Dice edits(seed, 0, 0, 14);
  for (std::uint64_t i = edits.chance(40) ? 1 + edits.below(4) : 0; i > 0; --i) {
    const PlannedEvent edit{.at = edits.between(0s, busy),
                            .what = PlannedEvent::What::exchange,
                            .service = static_cast<std::uint32_t>(edits.below(1U << 30)),
                            .patience = {}};
    plan.events.insert(std::ranges::upper_bound(plan.events, edit.at, {}, &PlannedEvent::at), edit);
  }
  if (dice.chance(20)) {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (dice.chance(30)) plan.names.push_back(i);
    }
  }
  if (calms_down) plan.calm_at = busy;
  plan.shutdown_at = calms_down ? busy + 3min : busy;
  plan.budget = dice.between(0s, 25s);
  if (dice.chance(20)) plan.kill_after = dice.between(0s, 5s);
  if (dice.chance(30)) plan.parallel_starts = 1 + static_cast<std::uint32_t>(dice.below(4));
  if (PlannedService& one = plan.services[dice.below(count)]; has_command(one.type) && dice.chance(10)) {
    one.main = true;
    one.policy = RestartPolicy::no;
  }
  return plan;
}

namespace {

// The first bell is asked for, the second one comes with READY=1 where that is said.
void add_extras(config::Service& to, const PlannedService& from) {
  to.extras = std::make_unique<config::ServiceExtras>();
  for (std::uint32_t i = 0; i < from.bells; ++i) {
    const bool said = i == 1 && from.readiness == Readiness::notify;
    config::Probe probe = testing::a_probe(said ? config::Probe::Kind::notify : config::Probe::Kind::tcp);
    probe.target = "b" + std::to_string(i);
    probe.attempt_timeout = 500ms;
    config::OwnBell& bell = to.extras->bells.emplace_back();
    bell.name = probe.target;
    bell.probes.probes.push_back(std::move(probe));
  }
  config::Command* hooks[] = {&to.extras->pre_start, &to.extras->post_start, &to.extras->pre_stop,
                              &to.extras->post_stop};
  for (std::size_t i = 0; i < std::size(hooks); ++i) {
    if ((from.hooks >> i & 1U) != 0) *hooks[i] = {hook_names[i]};
  }
}

config::Probe::Kind kind_of(Readiness readiness) {
  switch (readiness) {
    case Readiness::notify: return config::Probe::Kind::notify;
    case Readiness::listen: return config::Probe::Kind::listen;
    case Readiness::fd_s6:
    case Readiness::fd_dinit: return config::Probe::Kind::fd;
    default: return config::Probe::Kind::tcp;
  }
}

}  // namespace

config::Stack make_stack(const Plan& plan) {
  config::Stack stack = testing::a_stack();
  stack.probe_limit = 8;
  stack.parallel_starts = plan.parallel_starts;
  for (const PlannedService& from : plan.services) {
    config::Service& to = testing::a_service(stack, name_of(from.number), from.type);
    to.restart->policy = from.policy;
    to.restart->limit = from.limit;
    to.restart->max_delay = 5s;
    to.restart->jitter = 0.2;
    to.stop.timeout = from.stop_timeout;
    to.essential = from.essential;
    to.main = from.main;
    if (from.version > 0) to.command.push_back("--version=" + std::to_string(from.version));
    const bool listens = from.readiness == Readiness::listen;
    if (from.bells > 0 || from.hooks != 0 || listens) add_extras(to, from);
    if (listens) to.extras->listen.emplace_back();
    to.require.count = from.quorum;
    if (from.readiness != Readiness::none) {
      config::Probe probe = testing::a_probe(kind_of(from.readiness));
      if (has_ready_fd(from.readiness)) probe.fd = 3;
      if (from.readiness == Readiness::fd_dinit) probe.dialect = config::FdDialect::dinit;
      if (from.readiness == Readiness::rechecked) probe.recheck = 700ms;
      probe.timeout = from.ready_timeout;
      probe.attempt_timeout = 500ms;
      to.ready.probes.push_back(std::move(probe));
    }
    if (from.live) {
      to.live = std::make_unique<config::ProbeSet>();
      to.live->probes.push_back(testing::a_probe());
      to.live->probes[0].period = 2s;
      to.live->probes[0].failure_threshold = 2;
      to.live->probes[0].target = "live";
    }
    for (const PlannedEdge& edge : from.edges) {
      config::Dependency& d = testing::depends(to, stack, name_of(edge.on));
      d.condition = edge.condition;
      d.on_loss = edge.on_loss;
      d.loss_after = edge.loss_after;
      d.required = edge.required;
      d.timeout = edge.timeout;
      if (edge.condition == Condition::own_bell) d.bell = "b" + std::to_string(edge.bell);
      if (edge.quorum) d.require = config::Quorum{.count = *edge.quorum};
    }
  }
  return stack;
}

testing::ProcessScript behaviour(const Plan& plan, const PlannedService& service, std::uint64_t run,
                                 bool calm) {
  Dice dice(plan.seed, service.number, run, 1);
  testing::ProcessScript made;
  const bool oneshot = service.type == ServiceType::oneshot;
  if (oneshot) made.exits_after = dice.between(0s, 2s);
  made.stops_after = dice.chance(50) ? Duration(0) : dice.between(0s, service.stop_timeout);
  made.stops_cleanly = dice.chance(70);
  if (calm || !dice.chance(service.trouble)) return made;
  if (dice.chance(5))
    made.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}};
  if (dice.chance(10))
    made.refuse = system::SpawnError{.stage = system::SpawnStage::clone, .errnum = EAGAIN, .detail = {}};
  if (dice.chance(60)) {
    made.exits_after = dice.chance(30) ? Duration(0) : dice.between(0s, 8s);
    made.exits_with.value = dice.chance(30) ? 0 : 1;
  }
  if (dice.chance(20))
    made.stops_after.reset();
  else if (dice.chance(30))
    made.stops_after = dice.between(0s, 2 * service.stop_timeout);
  made.may_not_be_signalled = dice.chance(2);  // another user's, and belfry has no CAP_KILL
  if (!oneshot && dice.chance(10)) {           // it goes to the background by itself
    made.exits_after = dice.between(0s, 2s);
    made.exits_with.value = 0;
    made.leaves_behind = 1 + static_cast<std::uint32_t>(dice.below(2));
    if (dice.chance(50)) made.children_exit_after = dice.between(0s, 8s);
  } else if (dice.chance(30)) {
    made.leaves_behind = 1 + static_cast<std::uint32_t>(dice.below(3));
    if (dice.chance(50))
      made.children_stop_after.reset();
    else
      made.children_stop_after = dice.between(0s, 2 * service.stop_timeout);
  }
  return made;
}

testing::ProcessScript hook_behaviour(const Plan& plan, const PlannedService& service, std::string_view hook,
                                      std::uint64_t run, bool calm) {
  const auto which = static_cast<std::uint64_t>(std::ranges::find(hook_names, hook) - std::begin(hook_names));
  Dice dice(plan.seed, service.number, run, 4 + which);
  testing::ProcessScript made;
  made.exits_after = dice.chance(40) ? Duration(0) : dice.between(0s, 1s);
  if (calm && service.ready_timeout)
    made.exits_after = std::min(*made.exits_after, *service.ready_timeout / 5);
  if (calm || !dice.chance(service.trouble)) return made;
  if (dice.chance(40)) made.exits_with.value = 1;
  if (dice.chance(30)) made.exits_after = dice.between(0s, 6s);
  if (dice.chance(30)) made.stops_after.reset();
  if (dice.chance(30)) made.leaves_behind = 1;
  if (dice.chance(10))
    made.refuse = system::SpawnError{.stage = system::SpawnStage::exec, .errnum = ENOENT, .detail = {}};
  return made;
}

Duration notices_death_after(const Plan& plan, const PlannedService& service, std::uint64_t run) {
  Dice dice(plan.seed, service.number, run, 13);
  return plan.deaths_are_noticed_late && dice.chance(50) ? dice.between(0ms, 20ms) : Duration(0);
}

std::optional<Duration> says_ready_after(const Plan& plan, const PlannedService& service, std::uint64_t run,
                                         bool calm) {
  Dice dice(plan.seed, service.number, run, 2);
  const Duration after = dice.chance(30) ? Duration(0) : dice.between(0s, 3s);
  if (!calm && dice.chance(service.trouble / 3)) return std::nullopt;
  // A start that is always too slow would never come up, calm or not.
  return calm && service.ready_timeout ? std::min(after, *service.ready_timeout / 2) : after;
}

std::optional<Duration> closes_unready_after(const Plan& plan, const PlannedService& service,
                                             std::uint64_t run, bool calm) {
  Dice dice(plan.seed, service.number, run, 9);
  if (calm || !dice.chance(service.trouble / 2)) return std::nullopt;
  return dice.chance(30) ? Duration(0) : dice.between(0s, 3s);
}

bool address_is_taken(const Plan& plan, const PlannedService& service, std::uint64_t run, bool calm) {
  return !calm && Dice(plan.seed, service.number, run, 10).chance(service.trouble / 4);
}

testing::ProbeAnswer answer(const Plan& plan, const PlannedService& service, const config::Probe& probe,
                            Duration since_begin, bool calm) {
  if (calm) return {};
  const std::uint64_t which = probe.target.starts_with('b') ? 8 : 3;
  Dice dice(plan.seed, service.number, static_cast<std::uint64_t>(since_begin / 1700ms), which);
  testing::ProbeAnswer made;
  made.yes = !dice.chance(service.trouble);
  if (dice.chance(20)) made.takes = dice.between(0s, 1s);
  return made;
}

namespace {

// A quorum never asks for more members than there are: the file would not have been accepted.
Plan with_quorums_that_fit(Plan plan) {
  for (auto& s : plan.services) {
    s.quorum = std::min(s.quorum, static_cast<std::uint32_t>(s.edges.size()));
    for (auto& e : s.edges) {
      const auto gate = std::ranges::find(plan.services, e.on, &PlannedService::number);
      if (e.quorum) e.quorum = std::min(*e.quorum, static_cast<std::uint32_t>(gate->edges.size()));
    }
  }
  return plan;
}

void edit_service(Dice& dice, Plan& plan, PlannedService& s) {
  const auto place = static_cast<std::size_t>(&s - plan.services.data());
  switch (dice.below(8)) {
    case 0:
    case 1:
      if (has_command(s.type)) ++s.version;
      break;
    case 2: s.stop_timeout = dice.between(10ms, 8s); break;
    case 3:
      if (!s.main) s.policy = dice.chance(50) ? RestartPolicy::always : RestartPolicy::on_failure;
      break;
    case 4:
      if (!s.edges.empty())
        s.edges.erase(s.edges.begin() + static_cast<std::ptrdiff_t>(dice.below(s.edges.size())));
      break;
    case 5: {
      if (place == 0) break;
      const PlannedService& to = plan.services[dice.below(place)];
      const bool twice =
          std::ranges::any_of(s.edges, [&](const PlannedEdge& e) { return e.on == to.number; });
      if (!twice) s.edges.push_back(plan_edge(dice, s, to));
      break;
    }
    case 6:
      if (s.type == ServiceType::daemon) s.live = !s.live;
      break;
    case 7:
      for (PlannedEdge& e : s.edges)
        if (s.type != ServiceType::gate) e.on_loss = static_cast<OnLoss>(dice.below(3));
      break;
    default: break;
  }
}

void remove_service(Dice& dice, Plan& plan) {
  const PlannedService& gone = plan.services[dice.below(plan.services.size())];
  const bool is_named = std::ranges::find(plan.names, gone.number) != plan.names.end();
  if (plan.services.size() < 2 || gone.main || is_named) return;
  const std::uint32_t number = gone.number;
  std::erase_if(plan.services, [number](const PlannedService& s) { return s.number == number; });
  for (PlannedService& s : plan.services)
    std::erase_if(s.edges, [number](const PlannedEdge& e) { return e.on == number; });
}

}  // namespace

Plan make_neighbour(const Plan& plan, std::uint32_t which) {
  Dice dice(plan.seed, which, 0, 15);
  Plan next = plan;
  for (std::uint64_t edits = dice.below(4); edits > 0; --edits) {
    const auto what = dice.below(10);
    if (what < 2) {
      remove_service(dice, next);
    } else if (what < 4) {
      // Never a number that was somebody's before: what it does follows from it.
      const std::uint32_t number = (which << 1 | 1U << 31) + static_cast<std::uint32_t>(edits);
      next.services.push_back(plan_service(dice, number, next.services));
    } else {
      edit_service(dice, next, next.services[dice.below(next.services.size())]);
    }
  }
  return with_quorums_that_fit(std::move(next));
}

std::optional<Plan> without_part(const Plan& plan, std::size_t part) {
  Plan less = plan;
  if (part < plan.services.size()) {
    const std::uint32_t gone = plan.services[part].number;
    less.services.erase(less.services.begin() + static_cast<std::ptrdiff_t>(part));
    for (auto& s : less.services)
      std::erase_if(s.edges, [gone](const PlannedEdge& e) { return e.on == gone; });
    std::erase_if(less.events, [gone](const PlannedEvent& e) {
      return e.service == gone && e.what != PlannedEvent::What::pause &&
             e.what != PlannedEvent::What::exchange;
    });
    std::erase(less.names, gone);
    if (less.names.empty() != plan.names.empty() || less.services.empty()) return plan;
    return with_quorums_that_fit(std::move(less));
  }
  part -= plan.services.size();
  if (part < plan.events.size()) {
    less.events.erase(less.events.begin() + static_cast<std::ptrdiff_t>(part));
    return less;
  }
  part -= plan.events.size();
  for (auto& service : less.services) {
    if (part < service.edges.size()) {
      service.edges.erase(service.edges.begin() + static_cast<std::ptrdiff_t>(part));
      return with_quorums_that_fit(std::move(less));
    }
    part -= service.edges.size();
  }
  return std::nullopt;
}

std::string describe(const Plan& plan) {
  static constexpr const char* types[] = {"daemon", "oneshot", "external", "gate"};
  static constexpr const char* conditions[] = {"started", "ready", "completed", "stopped", "bell"};
  static constexpr const char* losses[] = {"", " on_loss restart", " on_loss stop"};
  static constexpr const char* readinesses[] = {"",        " notify", " probe",   " probe+recheck",
                                                " listen", " fd s6",  " fd dinit"};
  static constexpr const char* commands[] = {"start", "stop", "restart", "kill", "reload"};
  static constexpr const char* whats[] = {"", "wait", "exit", "reload", "pause", "exchange"};
  const auto seconds = [](Duration d) {
    return std::to_string(std::chrono::duration<double>(d).count()) + " s";
  };
  std::string text;
  for (const auto& s : plan.services) {
    text += "  " + name_of(s.number) + ": " + types[static_cast<int>(s.type)] +
            readinesses[static_cast<int>(s.readiness)] + (s.live ? " live" : "") + (s.main ? " main" : "") +
            (s.essential ? " essential" : "");
    if (s.bells > 0) text += " bells " + std::to_string(s.bells);
    if (s.hooks != 0) text += " hooks " + std::to_string(s.hooks);
    if (s.type == ServiceType::gate) text += " require " + std::to_string(s.quorum);
    if (has_command(s.type))
      text += " policy " + std::to_string(static_cast<int>(s.policy)) + " limit " + std::to_string(s.limit);
    text += " trouble " + std::to_string(s.trouble) + "\n";
    for (const auto& e : s.edges) {
      text += "      on " + name_of(e.on) + " " + conditions[static_cast<int>(e.condition)] +
              losses[static_cast<int>(e.on_loss)];
      if (e.loss_after.count() > 0) text += " after " + seconds(e.loss_after);
      if (!e.required) text += " optional";
      if (e.timeout) text += " timeout " + seconds(*e.timeout);
      if (e.quorum) text += " require " + std::to_string(*e.quorum);
      text += "\n";
    }
  }
  for (const auto& e : plan.events) {
    const bool command = e.what == PlannedEvent::What::command;
    text += "  at " + seconds(e.at) + " " +
            (command ? commands[static_cast<int>(e.command)] : whats[static_cast<int>(e.what)]) + " " +
            (e.what == PlannedEvent::What::pause      ? "of " + seconds(*e.patience)
             : e.what == PlannedEvent::What::exchange ? std::to_string(e.service)
                                                      : name_of(e.service));
    if (command && e.only) text += " --only";
    if (e.what == PlannedEvent::What::wait)
      text += std::string(" ") + conditions[static_cast<int>(e.condition)];
    text += "\n";
  }
  if (plan.deaths_are_noticed_late) text += "  deaths are noticed late\n";
  if (plan.parallel_starts != 0) text += "  parallel starts " + std::to_string(plan.parallel_starts) + "\n";
  if (plan.calm_at) text += "  calm from " + seconds(*plan.calm_at) + "\n";
  text += "  shutdown at " + seconds(plan.shutdown_at) + " within " + seconds(plan.budget);
  if (plan.kill_after) text += ", killed after " + seconds(*plan.kill_after);
  return text + "\n";
}

}  // namespace belfry::simulation
