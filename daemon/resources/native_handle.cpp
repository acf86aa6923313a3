#include "daemon/resources/native_handle.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "config/model/probes_of.hpp"
#include "system/core_dump.hpp"
#include "system/proc.hpp"

namespace belfry::daemon {

namespace {

LogPipeOptions options_of(const config::Service& spec) {
  LogPipeOptions options{.terminal = spec.extras && spec.extras->tty};
  if (spec.extras && spec.extras->log.max_line > 0)
    options.longest_line = static_cast<std::uint32_t>(spec.extras->log.max_line);
  return options;
}

bool has_two_pipes(const config::Service& spec) {
  return spec.extras && !spec.extras->tty && tells_streams_apart(spec.extras->log);
}

// By the limit of its own, else by belfry's, which it has inherited.
bool may_dump_core(const config::Service& spec) {
  if (spec.extras) {
    for (const config::ResourceLimit& limit : spec.extras->rlimits) {
      if (limit.resource == RLIMIT_CORE) return limit.soft > 0;
    }
  }
  return system::may_dump_core();
}

}  // namespace

NativeHandle::NativeHandle(SharedResources& shared, const ServiceRef& service)
    : shared_(shared),
      service_(service),
      outputs_(shared.logs.open(service.index(), service.spec())),
      log_(shared.poller, *outputs_, options_of(service.spec()), has_two_pipes(service.spec())) {
  outputs_->on_lost = [this](std::uint64_t lines) { service_.events().lines_dropped(lines); };
  ReadyFdListener& listener = *this;
  for (const config::Probe* probe : probes_of(service.spec(), config::Probe::Kind::fd))
    ready_fds_.push_back(std::make_unique<ReadyFd>(shared.poller, listener, *probe));
  if (const auto probes = probes_of(service.spec(), config::Probe::Kind::log); !probes.empty())
    log_patterns_ = std::make_unique<LogPatterns>(service.events(), log_, probes);
  if (Confinement::is_wanted(service.spec()))
    confinement_ = std::make_unique<Confinement>(shared.confinements, service.spec());
}

NativeHandle::~NativeHandle() { hold(0); }

// What keeps a socket from being bound is found again, and reported, by prepare().
void NativeHandle::bind_sockets() {
  [[maybe_unused]] const Result<void> bound = shared_.activation.bind(service_.index());
}

Result<void> NativeHandle::prepare(system::Launch& launch, bool ahead) {
  const config::Service& spec = service_.spec();
  if (auto ok = shared_.setup.check(spec); !ok) return ok;
  if (auto ok = shared_.activation.bind(service_.index()); !ok) return ok;
  if (auto ok = ahead ? shared_.budget.check() : Result<void>(); !ok) return ok;
  shared_.setup.apply(spec, launch);
  if (auto ok = create_log_pipe(launch); !ok) return ok;
  if (spec.extras) {
    if (auto ok = standard_input_.apply(spec.extras->standard_input, launch); !ok) return ok;
  }
  if (log_patterns_) log_patterns_->begin_run();
  if (confinement_) {
    if (auto ok = confinement_->prepare(shared_.setup.identity_of(spec).get()); !ok) return ok;
    confinement_->apply(launch);
  }
  if (auto ok = shared_.router.prepare(service_, launch); !ok) return ok;
  if (auto ok = create_leaf(launch); !ok) return ok;
  if (auto ok = create_ready_fds(launch); !ok) return ok;
  apply_descriptors(launch);
  shared_.notifiers.apply(service_, listening_, launch);
  launch.resolve();
  return {};
}

void NativeHandle::configure(system::Launch& launch) const {
  shared_.setup.apply(service_.spec(), launch);
  if (confinement_) confinement_->apply(launch);
  launch.isolate = service_.spec().extras && service_.spec().extras->isolate;
}

bool NativeHandle::passes_output_through() const {
  return service_.spec().extras && service_.spec().extras->log.inherit;
}

// belfry's own descriptors. The standard output of `exec` is the command's alone.
void NativeHandle::apply_own_output(system::Launch& launch) const {
  if (shared_.pump.output() != STDOUT_FILENO)
    launch.standard_output = launch.standard_error = shared_.pump.output();
}

Result<void> NativeHandle::create_log_pipe(system::Launch& launch) {
  if (passes_output_through()) {
    apply_own_output(launch);
    return {};
  }
  if (!write_ends_.output) {
    auto opened = log_.open_write_ends();
    if (!opened) return std::unexpected(opened.error());
    write_ends_ = std::move(*opened);
    hold(write_ends_.errors ? 4 : 2);
  }
  log_.begin_run(service_.facts().runs + 1);
  launch.standard_output = launch.standard_error = write_ends_.output.get();
  if (write_ends_.errors) launch.standard_error = write_ends_.errors.get();
  if (service_.spec().extras && service_.spec().extras->tty)
    launch.standard_input = launch.foreground_tty = write_ends_.output.get();
  return {};
}

Result<void> NativeHandle::create_leaf(system::Launch& launch) {
  const config::Service& spec = service_.spec();
  if (!shared_.cgroups.has_leaf_for(spec)) {
    launch.isolate = spec.extras && spec.extras->isolate;  // the leaf would tell; so a shim must
    return {};
  }
  if (!leaf_) {
    auto made = shared_.cgroups.make_leaf(spec);
    if (!made) return std::unexpected(made.error());
    leaf_ = std::move(*made);
  }
  if (!leaf_->is_open()) hold(1);
  auto descriptor = leaf_->descriptor();
  if (!descriptor) return std::unexpected(descriptor.error());
  launch.cgroup = *descriptor;
  return {};
}

Result<void> NativeHandle::create_ready_fds(system::Launch& launch) {
  for (auto& ready : ready_fds_) {
    const bool fresh = !ready->is_open();
    const auto write_end = ready->open();
    if (!write_end) return std::unexpected(write_end.error());
    launch.descriptors.push_back({.source = *write_end, .target = ready->number()});
    if (fresh) hold(2);
  }
  return {};
}

// LISTEN_FDS counts from 3 up without a gap: what belfry listens on, in the order of the file, then what the
// service has stored, in the order in which it came.
void NativeHandle::apply_descriptors(system::Launch& launch) {
  int next = 3;
  std::string names;
  const auto pass = [&](int fd, std::string_view name) {
    launch.descriptors.push_back({.source = fd, .target = next++});
    names.append(names.empty() ? "" : ":").append(name);
  };
  for (const Activation::Passed& passed : shared_.activation.passed(service_.index()))
    pass(passed.fd, *passed.name);
  for (const NamedDescriptor& stored : shared_.router.stored(service_)) pass(stored.fd, stored.name);
  if (next == 3) return;
  launch.add_variable("LISTEN_FDS", std::to_string(next - 3));
  launch.add_variable("LISTEN_FDNAMES", names);
  launch.listen_pid = true;
}

// None: what was held is passed on or closed.
void NativeHandle::hold(std::uint16_t more) {
  if (more == 0) shared_.budget.give_back(std::exchange(held_, 0));
  held_ += more;
  shared_.budget.hold(more);
}

void NativeHandle::launched(pid_t pid) {
  give_back_what_the_child_has();
  if (confinement_ && pid != 0) confinement_->launched();
  if (shared_.kept != nullptr && pid != 0) shared_.kept->add(pid, service_.name());
  shared_.router.launched(service_, pid);
  if (pid != 0) oom_kills_before_ = shared_.oom_kills.begin();
}

void NativeHandle::give_back_what_the_child_has() {
  write_ends_ = {};
  if (leaf_) leaf_->close();
  for (auto& ready : ready_fds_) ready->passed();
  standard_input_.passed();
  shared_.notifiers.started(service_, listening_);
  hold(0);
}

Result<system::OwnedFd> NativeHandle::prepare_hook(system::Launch& launch) {
  if (auto ok = shared_.setup.check(service_.spec()); !ok) return std::unexpected(ok.error());
  shared_.setup.apply(service_.spec(), launch);
  if (confinement_) confinement_->apply(launch);
  shared_.router.announce(service_, launch);
  apply_own_output(launch);
  if (passes_output_through()) return system::OwnedFd();
  // Without a descriptor left it writes where belfry does: cleaning up goes before attribution.
  auto opened = log_.open_write_ends();
  if (!opened) return system::OwnedFd();
  launch.standard_output = launch.standard_error = opened->output.get();
  return std::move(opened->output);
}

void NativeHandle::drain() {
  log_.drain_last_words();
  for (auto& ready : ready_fds_) ready->drain();
  shared_.router.drain(service_);
}

bool NativeHandle::release(bool may_come_back) {
  shared_.activation.close(service_.index());
  const bool keeps_some = shared_.router.release(service_, may_come_back);
  give_back_what_the_child_has();
  for (auto& ready : ready_fds_) ready->close();
  leaf_.reset();
  if (confinement_) confinement_->release();
  log_.drain();
  return !keeps_some && !log_.is_open();
}

EndFacts NativeHandle::facts_of_end(pid_t main, const system::ExitStatus& status) {
  EndFacts facts;
  if (shared_.ended == main) facts.usage = shared_.usage;
  if (!status.signaled) return facts;
  if (leaf_) facts.oom_kills = static_cast<std::uint32_t>(leaf_->take_oom_kills());
  if (status.value == SIGKILL) facts.oom_kills_on_machine = shared_.oom_kills.since(oom_kills_before_);
  if (!status.core && !system::dumps_core(status.value)) return facts;
  facts.core = system::where_the_core_is({.pid = main,
                                          .signo = status.value,
                                          .dumped = status.core,
                                          .working_dir = service_.spec().working_dir.str(),
                                          .may_dump = may_dump_core(service_.spec())});
  return facts;
}

std::optional<CgroupUsage> NativeHandle::take_cgroup_usage() {
  if (!leaf_) return std::nullopt;
  return CgroupUsage{.usage = leaf_->take_usage(),
                     .oom_kills = static_cast<std::uint32_t>(leaf_->take_oom_kills())};
}

TreeTraces NativeHandle::traces() const {
  return {.log_pipe = log_.inode(),
          .cgroup = leaf_ ? std::string_view(leaf_->directory()) : std::string_view()};
}

void NativeHandle::wrote_ready(const config::Probe& probe) {
  service_.events().heard({.kind = probe.kind, .only = &probe});
}

void NativeHandle::closed_unready(const config::Probe& probe, const Error& why) {
  // Who exits closes everything first: its exit code says more, and comes in a moment.
  if (const pid_t pid = service_.facts().pid; pid != 0 && !system::proc::is_exiting(pid))
    service_.events().never_heard(probe, why);
}

}  // namespace belfry::daemon
