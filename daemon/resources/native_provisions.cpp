#include "daemon/resources/native_provisions.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>

#include "config/model/probes_of.hpp"
#include "daemon/resources/descriptor_need.hpp"
#include "daemon/resources/log_patterns.hpp"
#include "daemon/resources/ready_fd.hpp"
#include "daemon/resources/run_as.hpp"
#include "daemon/resources/standard_input.hpp"
#include "daemon/resources/survivors.hpp"
#include "daemon/service/service.hpp"
#include "system/cgroup_place.hpp"
#include "system/identity.hpp"
#include "system/proc.hpp"

namespace belfry::daemon {

namespace {

LineStyle style_of(const config::Service& spec, const LogPump& pump) {
  LineStyle style{.for_terminal = pump.is_terminal()};
  if (!spec.extras) return style;
  style.silent = !spec.extras->log.to_stdout;
  if (spec.extras->log.max_line > 0) style.longest = static_cast<std::uint32_t>(spec.extras->log.max_line);
  return style;
}

}  // namespace

struct NativeProvisions::Kit final : ReadyFdListener {
  Kit(Service& s, system::Poller& poller, LogPump& pump)
      : service(s),
        log(poller, pump, s.name(), style_of(s.spec(), pump), s.spec().extras && s.spec().extras->tty) {
    ReadyFdListener& listener = *this;
    for (const config::Probe* probe : probes_of(s.spec(), config::Probe::Kind::fd))
      ready_fds.push_back(std::make_unique<ReadyFd>(poller, listener, *probe));
    if (const auto probes = probes_of(s.spec(), config::Probe::Kind::log); !probes.empty())
      log_patterns = std::make_unique<LogPatterns>(s, log, probes);
  }
  void wrote_ready(const config::Probe& probe) override { service.heard({probe.kind, &probe}); }
  void closed_unready(const config::Probe& probe, const Error& why) override {
    // Who exits closes everything first: its exit code says more, and comes in a moment.
    if (const pid_t pid = service.record().pid; pid != 0 && !system::proc::is_exiting(pid))
      service.never_heard(probe, why);
  }
  Service& service;
  LogPipe log;
  std::unique_ptr<LogPatterns> log_patterns;  // null: it has no `log` probe
  std::vector<std::unique_ptr<ReadyFd>> ready_fds;
  std::unique_ptr<system::CgroupLeaf> leaf;
  StandardInput standard_input;
  std::unique_ptr<ListenNotifiers::PerService> listening;  // of a service that waits for a socket of its own
  int write_end = -1;
  int hook_write_end = -1;
  std::uint16_t held = 0;  // descriptors counted against the budget
};

namespace {

std::string why_unknown(const system::SpawnError& error) {
  if (error.errnum == 0) return error.detail + " (create it, or name another one)";
  return error.detail + ": " + std::strerror(error.errnum);
}

system::CgroupLimits limits_of(const config::Service& spec) {
  if (!spec.extras || !spec.extras->cgroup) return {};
  const config::Cgroup& asked = *spec.extras->cgroup;
  return {.memory_max = asked.memory_max, .cpu_max = asked.cpu_max, .pids_max = asked.pids_max};
}

bool wants_identity(const config::Service& spec) { return identity_key(spec) != ":"; }

// What setrlimit(2), umask(2) and their like are told before the exec.
void set_attributes(const config::ServiceExtras& extras, system::Launch& launch) {
  launch.umask = extras.umask;
  launch.nice = extras.nice;
  launch.oom_score_adj = extras.oom_score_adj;
  launch.no_new_privileges = extras.no_new_privileges;
  launch.rlimits.clear();
  for (const config::ResourceLimit& limit : extras.rlimits)
    launch.rlimits.push_back({.resource = limit.resource, .soft = limit.soft, .hard = limit.hard});
}

}  // namespace

NativeProvisions::NativeProvisions(Loop& loop, const config::Stack& stack, system::Poller& poller,
                                   LogPump& pump)
    : stack_(stack),
      poller_(poller),
      pump_(pump),
      router_(loop, poller, stack.services.size()),
      inherited_(system::BaseEnvironment::inherited(environ)),
      empty_(system::BaseEnvironment::empty()),
      activation_(stack),
      notifiers_(poller, stack.on_daemon_death) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  descriptor_budget_ = static_cast<std::size_t>(limit.rlim_cur) / 4;
  if (auto shortage = shortage_of_descriptors(stack, static_cast<std::size_t>(limit.rlim_cur))) {
    remarks_.push_back(std::move(*shortage));
    descriptor_budget_ = 0;  // who waits would keep them from whom it waits for
  }
  kits_.resize(stack.services.size());
}

NativeProvisions::~NativeProvisions() {
  for (auto& kit : kits_) {
    if (kit && kit->write_end >= 0) ::close(kit->write_end);
  }
}

Result<void> NativeProvisions::open() {
  for (const config::Service& spec : stack_.services) {
    if (wants_identity(spec) && !identities_.contains(identity_key(spec))) look_up_identity(spec);
  }
  activation_.open();
  create_cgroups();
  return router_.open();
}

void NativeProvisions::look_up_identity(const config::Service& spec) {
  auto found = system::find_identity(spec.user->empty() ? std::to_string(own_user_) : *spec.user,
                                     spec.extras ? std::string_view(spec.extras->group) : std::string_view());
  Person person;
  // Of root, and whoever has its capabilities, check_rights() says which are missing.
  if (!found)
    person.why_not = why_unknown(found.error());
  else if (own_user_ != 0)
    person.why_not = system::why_cannot_become(*found);
  if (found) person.identity = std::make_shared<const system::Identity>(std::move(*found));
  identities_.emplace(identity_key(spec), std::move(person));
}

// It concerns this service alone, and trying again would change nothing.
Result<void> NativeProvisions::check_identity(const config::Service& spec) const {
  if (!wants_identity(spec)) return {};
  const Person& person = identities_.at(identity_key(spec));
  if (person.why_not.empty()) return check_rights(spec, *person.identity);
  return std::unexpected(Error(Error::Kind::failed, "cannot run " + spec.name + " as " +
                                                        words_for_identity(spec) + ": " + person.why_not));
}

void NativeProvisions::keep_in(KeptRecord& record, std::string stack_id) {
  kept_ = &record;
  stack_id_ = std::move(stack_id);
}

// A cgroup is a means: where there can be none, the service runs without, and that is said once.
void NativeProvisions::create_cgroups() {
  system::CgroupLimits needed;
  std::string limited;
  bool any = false;
  for (const config::Service& spec : stack_.services) {
    if (spec.command.empty() || !wants_leaf(spec)) continue;
    any = true;
    const system::CgroupLimits own = limits_of(spec);
    if (own.empty()) continue;
    limited += (limited.empty() ? "" : ", ") + spec.name;
    if (own.memory_max) needed.memory_max = own.memory_max;
    if (own.cpu_max) needed.cpu_max = own.cpu_max;
    if (own.pids_max) needed.pids_max = own.pids_max;
  }
  if (!any) return;
  const auto own = system::cgroup::own_directory();
  auto tree = own ? system::CgroupTree::open(*own, stack_.name)
                  : std::unexpected(Error(Error::Kind::refused, "there is no cgroup v2 for belfry here"));
  Result<void> ready = tree ? (*tree)->enable(needed) : std::unexpected(tree.error());
  if (tree) cgroups_ = std::move(*tree);
  if (!ready && !limited.empty())
    remarks_.push_back("cannot apply `cgroup` of " + limited + ", running without: " + ready.error().text());
  else if (!ready && stack_.cgroups == config::Cgroups::all)
    remarks_.push_back("cannot give services cgroups of their own, going by groups and orphans: " +
                       ready.error().text());
  limits_apply_ = ready.has_value();
}

bool NativeProvisions::wants_leaf(const config::Service& spec) const {
  if (stack_.cgroups == config::Cgroups::off) return false;
  return stack_.cgroups == config::Cgroups::all ||
         (spec.extras && (spec.extras->cgroup || spec.extras->isolate));
}

void NativeProvisions::apply(const Service& service, system::Launch& launch) const {
  const config::Service& spec = service.spec();
  launch.set_environment(spec.clean_environment ? empty_ : inherited_, spec.environment);
  if (spec.extras) {
    for (const config::Secret& secret : spec.extras->secrets)
      launch.add_variable(secret.variable, secret.value);
    set_attributes(*spec.extras, launch);
  }
  if (kept_ != nullptr) launch.add_variable(stack_variable, stack_id_);
  launch.working_dir = spec.working_dir;
  launch.die_with_belfry = stack_.on_daemon_death == config::OnDaemonDeath::kill;
  if (wants_identity(spec)) launch.identity = identities_.at(identity_key(spec)).identity;
  if (spec.user->empty() || !launch.identity) return;
  for (const auto& [name, value] :
       {std::pair("HOME", launch.identity->home), std::pair("USER", launch.identity->name),
        std::pair("LOGNAME", launch.identity->name), std::pair("SHELL", launch.identity->shell)}) {
    launch.add_variable(name, value);
  }
  // What the file says goes before what the user database says.
  for (const auto& [name, value] : spec.environment) launch.add_variable(name, value);
}

NativeProvisions::Kit& NativeProvisions::kit_of(const Service& service) {
  auto& kit = kits_[service.index()];
  if (!kit) kit = std::make_unique<Kit>(const_cast<Service&>(service), poller_, pump_);
  return *kit;
}

// What keeps a socket from being bound is found again, and reported, by prepare().
void NativeProvisions::bind_sockets(Service& service) {
  [[maybe_unused]] const Result<void> bound = activation_.bind(service.index());
}

Result<void> NativeProvisions::prepare(Service& service, system::Launch& launch) {
  if (auto ok = check_identity(service.spec()); !ok) return ok;
  if (auto ok = activation_.bind(service.index()); !ok) return ok;
  if (service.state() == State::waiting && descriptors_ >= descriptor_budget_) {
    return std::unexpected(Error(Error::Kind::refused,
                                 "cannot prepare ahead: too many descriptors are held for waiting services"));
  }
  launch.set_command(service.spec().command);
  apply(service, launch);
  Kit& kit = kit_of(service);
  if (auto ok = create_log_pipe(service, kit, launch); !ok) return ok;
  if (service.spec().extras) {
    if (auto ok = kit.standard_input.apply(service.spec().extras->standard_input, launch); !ok) return ok;
  }
  if (kit.log_patterns) kit.log_patterns->begin_run();
  if (auto ok = router_.prepare(service, launch); !ok) return ok;
  if (auto ok = create_leaf(service, kit, launch); !ok) return ok;
  if (auto ok = create_ready_fds(kit, launch); !ok) return ok;
  apply_descriptors(service, launch);
  notifiers_.apply(service, kit.listening, launch);
  launch.resolve();
  return {};
}

Result<void> NativeProvisions::create_log_pipe(Service& service, Kit& kit, system::Launch& launch) {
  if (service.spec().extras && service.spec().extras->log.inherit) {
    apply_own_output(launch);
    return {};
  }
  if (kit.write_end < 0) {
    auto fd = kit.log.open_write_end();
    if (!fd) return std::unexpected(fd.error());
    kit.write_end = fd->release();
    kit.held = 2;
    descriptors_ += kit.held;
  }
  launch.standard_output = launch.standard_error = kit.write_end;
  if (service.spec().extras && service.spec().extras->tty)
    launch.standard_input = launch.foreground_tty = kit.write_end;
  return {};
}

// belfry's own descriptors. The standard output of `exec` is the command's alone.
void NativeProvisions::apply_own_output(system::Launch& launch) const {
  if (pump_.output() != STDOUT_FILENO) launch.standard_output = launch.standard_error = pump_.output();
}

Result<void> NativeProvisions::create_leaf(Service& service, Kit& kit, system::Launch& launch) {
  const config::Service& spec = service.spec();
  if (!cgroups_ || !wants_leaf(spec)) {
    launch.isolate = spec.extras && spec.extras->isolate;  // the leaf would tell; so a shim must
    return {};
  }
  if (!kit.leaf) {
    auto leaf = cgroups_->make_leaf(service.name());
    if (!leaf) return std::unexpected(leaf.error());
    if (auto ok = limits_apply_ ? (*leaf)->limit(limits_of(service.spec())) : Result<void>(); !ok) return ok;
    kit.leaf = std::move(*leaf);
  }
  if (!kit.leaf->is_open()) ++kit.held, ++descriptors_;
  auto descriptor = kit.leaf->descriptor();
  if (!descriptor) return std::unexpected(descriptor.error());
  launch.cgroup = *descriptor;
  return {};
}

Result<void> NativeProvisions::prepare_hook(Service& service, system::Launch& launch) {
  if (auto ok = check_identity(service.spec()); !ok) return ok;
  apply(service, launch);
  router_.announce(service, launch);
  apply_own_output(launch);
  if (service.spec().extras && service.spec().extras->log.inherit) return {};
  Kit& kit = kit_of(service);
  auto fd = kit.log.open_write_end();
  // Without a descriptor left it writes where belfry does: cleaning up goes before attribution.
  if (fd) launch.standard_output = launch.standard_error = kit.hook_write_end = fd->release();
  return {};
}

void NativeProvisions::hook_started(Service& service) {
  Kit& kit = kit_of(service);
  if (kit.hook_write_end >= 0) ::close(kit.hook_write_end);
  kit.hook_write_end = -1;
}

Result<void> NativeProvisions::create_ready_fds(Kit& kit, system::Launch& launch) {
  for (auto& ready : kit.ready_fds) {
    const bool fresh = !ready->is_open();
    const auto write_end = ready->open();
    if (!write_end) return std::unexpected(write_end.error());
    launch.descriptors.push_back({.source = *write_end, .target = ready->number()});
    if (!fresh) continue;
    kit.held += 2;
    descriptors_ += 2;
  }
  return {};
}

// LISTEN_FDS counts from 3 up without a gap: what belfry listens on, in the order of the file, then what the
// service has stored, in the order in which it came.
void NativeProvisions::apply_descriptors(const Service& service, system::Launch& launch) {
  int next = 3;
  std::string names;
  const auto pass = [&](int fd, std::string_view name) {
    launch.descriptors.push_back({.source = fd, .target = next++});
    names.append(names.empty() ? "" : ":").append(name);
  };
  for (const Activation::Passed& passed : activation_.passed(service.index())) pass(passed.fd, *passed.name);
  for (const NamedDescriptor& stored : router_.stored(service)) pass(stored.fd, stored.name);
  if (next == 3) return;
  launch.add_variable("LISTEN_FDS", std::to_string(next - 3));
  launch.add_variable("LISTEN_FDNAMES", names);
  launch.listen_pid = true;
}

void NativeProvisions::started(Service& service) {
  Kit& kit = kit_of(service);
  if (kit.write_end >= 0) ::close(kit.write_end);
  kit.write_end = -1;
  if (kit.leaf) kit.leaf->close();
  for (auto& ready : kit.ready_fds) ready->passed();
  kit.standard_input.passed();
  notifiers_.started(service, kit.listening);
  descriptors_ -= kit.held;
  kit.held = 0;
  if (kept_ != nullptr && service.record().pid != 0) kept_->add(service.record().pid, service.name());
  router_.started(service);
}

void NativeProvisions::drain(Service& service) {
  Kit& kit = kit_of(service);
  const std::uint64_t before = kit.log.lines_lost();
  kit.log.drain();
  if (kit.log.lines_lost() > before) service.count_dropped_lines(kit.log.lines_lost() - before);
  for (auto& ready : kit.ready_fds) ready->drain();
  router_.drain(service);
}

void NativeProvisions::release(Service& service) {
  activation_.close(service.index());
  router_.release(service);
  auto& kit = kits_[service.index()];
  if (!kit) return;
  started(service);
  for (auto& ready : kit->ready_fds) ready->close();
  kit->leaf.reset();
  kit->log.drain();
  if (!kit->log.is_open()) kit.reset();
}

std::shared_ptr<probes::ListenMonitor> NativeProvisions::monitor(const Service& service) const {
  const auto& kit = kits_[service.index()];
  return kit && kit->listening ? kit->listening->monitor : nullptr;
}

ino_t NativeProvisions::log_pipe(const Service& service) const {
  const auto& kit = kits_[service.index()];
  return kit ? kit->log.inode() : 0;
}

std::string_view NativeProvisions::cgroup(const Service& service) const {
  const auto& kit = kits_[service.index()];
  return kit && kit->leaf ? std::string_view(kit->leaf->directory()) : std::string_view();
}

bool NativeProvisions::ran_out_of_memory(Service& service) {
  const auto& kit = kits_[service.index()];
  return kit && kit->leaf && kit->leaf->take_oom_kills() > 0;
}

}  // namespace belfry::daemon
