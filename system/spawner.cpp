#include "system/spawner.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "system/capabilities.hpp"
#include "system/descriptors.hpp"
#include "system/oom_score.hpp"
#include "system/sandbox.hpp"
#include "system/seccomp_listen.hpp"
#include "system/signals.hpp"
#include "system/spawn_failure.hpp"
#include "system/subreaper_shim.hpp"

namespace belfry::system {

namespace {

constexpr std::size_t stack_size = std::size_t{64} * 1024;
constexpr std::size_t guard_size = 4096;
constexpr std::size_t extra_slots = 6;  // a terminal, a cgroup, the socket of a shim, a sandbox

void* make_stack() {
  void* memory = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot map a stack");
  ::mprotect(memory, guard_size, PROT_NONE);
  return memory;
}

std::vector<std::uint8_t> ignored_at_entry() {
  std::vector<std::uint8_t> list;
  for (int signo = 1; signo < NSIG; ++signo) {
    if (sigismember(&SignalBlock::entry().ignored, signo) == 1)
      list.push_back(static_cast<std::uint8_t>(signo));
  }
  return list;
}

}  // namespace

Spawner::Spawner(Syscalls& syscalls)
    : syscalls_(syscalls), stack_(make_stack()), ignored_(ignored_at_entry()) {
  ::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  null_ = syscalls_.open("/dev/null", O_RDWR);
  if (null_ == -ENOENT) null_ = open_null();
  for (std::size_t i = 0; i < slot_count && null_ >= 0; ++i) {
    int slot = ::fcntl(null_, F_DUPFD_CLOEXEC, 3);
    if (slot >= 0) slots_.push_back(slot);
  }
  int last = slots_.empty() ? null_ : std::max(null_, *std::ranges::max_element(slots_));
  hole_ = std::max(last, 2) + 1;
  unshares_ = !slots_.empty();
  lent_.reserve(slots_.size());
}

Spawner::~Spawner() {
  for (int slot : slots_) ::close(slot);
  if (null_ >= 0) ::close(null_);
  ::munmap(stack_, stack_size);
  if (program_stack_ != nullptr) ::munmap(program_stack_, stack_size);
}

std::expected<pid_t, SpawnError> Spawner::spawn(Launch& launch, SpawnedShim* shim) {
  bool fresh = launch.candidates_.empty();
  if (fresh) launch.resolve();
  auto spawned = attempt(launch, shim);
  if (spawned || fresh || spawned.error().stage != SpawnStage::exec) return spawned;
  // The command may have moved since it was resolved: one more look, as a shell would have.
  launch.resolve();
  return attempt(launch, shim);
}

std::expected<pid_t, SpawnError> Spawner::attempt(Launch& launch, SpawnedShim* shim) {
  if (!launch.isolate) shim = nullptr;
  plan_ = {};
  plan_.failed_limit = -1;
  plan_.join_cgroup = plan_.mount_namespace = plan_.network_namespace = plan_.sandbox_root = -1;
  lay_out_words(launch);
  lay_out_attributes(launch);
  if (int error = lay_out_descriptors(launch); error < 0) {
    take_back_slots();
    return std::unexpected(SpawnError{SpawnStage::descriptors, -error, {}});
  }
  if (int error = shim != nullptr ? lay_out_shim(launch, *shim) : 0; error < 0) {
    take_back_slots();
    return std::unexpected(SpawnError{SpawnStage::shim, -error, {}});
  }
  lay_out_listen_filter(launch);
  int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (plan_.first_unneeded > 0 ? CLONE_FILES : 0);
  bool into = launch.cgroup >= 0 && shim == nullptr;
  pid_t pid = into ? clone_into(launch.cgroup, flags) : clone(flags, shim != nullptr);
  take_back_slots();
  if (pid >= 0 && plan_.failed_stage == 0) {
    answer_listen_request(launch);
    if (shim == nullptr) return pid;
    shim->pid = pid;
    return plan_.program;
  }
  if (shim != nullptr) ::close(shim->socket);
  if (pid < 0) return std::unexpected(SpawnError{SpawnStage::clone, -pid, {}});
  if (plan_.listen_filter != nullptr && plan_.notifier >= 0) ::close(plan_.notifier);

  siginfo_t ignored;
  while (syscalls_.waitid(P_PID, static_cast<id_t>(pid), &ignored, WEXITED, nullptr) == -EINTR) {
  }
  if (plan_.failed_stage == detail::unshare_refused) {
    unshares_ = false;
    return attempt(launch, shim);
  }
  return std::unexpected(
      explain_failure(launch, {.candidates = candidates_, .arguments = argv_, .environment = envp_},
                      static_cast<SpawnStage>(plan_.failed_stage - 1), plan_.errnum, plan_.failed_limit));
}

void Spawner::lay_out_listen_filter(const Launch& launch) {
  if (launch.listen_notifier == nullptr) return;
  launch.listen_notifier->descriptor = -1;
  launch.listen_notifier->errnum = plan_.first_unneeded > 0 ? 0 : no_shared_table;
  const auto code = listen_filter(launch.listen_notifier->udp);
  if (plan_.first_unneeded == 0) return;
  // The kernel does not write to it; the interface is older than const.
  listen_filter_ = {.len = static_cast<unsigned short>(code.size()),
                    .filter = const_cast<sock_filter*>(code.data())};
  plan_.listen_filter = &listen_filter_;
  plan_.notifier = -ENOSYS;
}

void Spawner::answer_listen_request(const Launch& launch) {
  if (plan_.listen_filter == nullptr) return;
  launch.listen_notifier->descriptor = std::max(plan_.notifier, -1);
  launch.listen_notifier->errnum = plan_.notifier < 0 ? -plan_.notifier : 0;
}

pid_t Spawner::clone(int flags, bool below_a_shim) {
  void* top = static_cast<char*>(stack_) + stack_size;
  return syscalls_.clone(below_a_shim ? detail::shim_main : detail::child_main, top, flags, &plan_);
}

int Spawner::lay_out_shim(const Launch& launch, SpawnedShim& shim) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
  shim.socket = ends[0];
  shim_end_ = ends[1];
  plan_.shim_socket = plan_.first_unneeded > 0 ? lend(shim_end_) : shim_end_;
  if (plan_.shim_socket < 0) {
    ::close(shim.socket);
    return plan_.shim_socket;
  }
  if (program_stack_ == nullptr) program_stack_ = make_stack();
  plan_.program_stack_top = static_cast<char*>(program_stack_) + stack_size;
  plan_.join_cgroup = lent_cgroup_;
  plan_.null = null_;
  plan_.shim_digits = shim_digits_;
  // Its marker says whose shim it is, to whoever looks for processes of the service.
  shim_envp_[0] = launch.marker_.empty() ? nullptr : const_cast<char*>(launch.marker_.data());
  shim_envp_[1] = nullptr;
  const char* words[] = {"belfry-shim", shim_word, launch.die_with_belfry ? "kill" : "keep", shim_digits_,
                         nullptr};
  std::ranges::transform(words, shim_argv_, [](const char* word) { return const_cast<char*>(word); });
  plan_.shim_program = "/proc/self/exe";
  plan_.shim_argv = shim_argv_;
  plan_.shim_envp = shim_envp_;
  return 0;
}

// Into the cgroup at once: to move there later would cost milliseconds, and a fork in between would escape.
// Where that is not to be had, the child moves itself, and whatever forbids it has an errno of its own there.
pid_t Spawner::clone_into(int cgroup, int flags) {
  auto* bottom = static_cast<char*>(stack_) + guard_size;
  pid_t pid =
      syscalls_.clone_into(detail::child_main, bottom, stack_size - guard_size, flags, &plan_, cgroup);
  if (pid >= 0 || pid == -EAGAIN || pid == -ENOMEM) return pid;
  plan_.join_cgroup = lent_cgroup_;
  return clone(flags, false);
}

void Spawner::lay_out_words(Launch& launch) {
  auto collect = [](const StringBlock& block, std::vector<char*>& into) {
    block.each([&](char* text) { into.push_back(text); });
  };
  argv_.clear();
  collect(launch.arguments_, argv_);
  argv_.push_back(nullptr);
  candidates_.clear();
  collect(launch.candidates_, candidates_);

  envp_.clear();
  if (!launch.marker_.empty()) envp_.push_back(launch.marker_.data());
  if (launch.base_) {
    auto entries = launch.base_->entries();
    auto hidden = launch.hidden_.begin();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (hidden != launch.hidden_.end() && *hidden == i) {
        ++hidden;
      } else {
        envp_.push_back(entries[i]);
      }
    }
  }
  collect(launch.variables_, envp_);
  if (launch.listen_pid) {
    std::strcpy(listen_pid_, "LISTEN_PID=");
    plan_.listen_pid_digits = listen_pid_ + std::strlen(listen_pid_);
    envp_.push_back(listen_pid_);
  }
  if (launch.watchdog_pid) {
    std::strcpy(watchdog_pid_, "WATCHDOG_PID=");
    plan_.watchdog_pid_digits = watchdog_pid_ + std::strlen(watchdog_pid_);
    envp_.push_back(watchdog_pid_);
  }
  envp_.push_back(nullptr);

  plan_.candidates = candidates_.data();
  plan_.candidate_count = candidates_.size();
  plan_.argv = argv_.data();
  plan_.envp = envp_.data();
}

void Spawner::lay_out_attributes(const Launch& launch) {
  plan_.new_session = launch.new_session;
  plan_.no_new_privileges = launch.no_new_privileges;
  plan_.die_with = launch.die_with_belfry ? ::getpid() : 0;
  plan_.working_dir = launch.working_dir.empty() ? nullptr : launch.working_dir.c_str();
  plan_.ignored_signals = ignored_.data();
  plan_.ignored_count = ignored_.size();
  plan_.set_umask = launch.umask.has_value();
  plan_.umask = launch.umask.value_or(0);
  plan_.set_nice = launch.nice.has_value();
  plan_.nice = launch.nice.value_or(0);
  // Its own, or what belfry was given: what belfry gave itself is not inherited.
  if (auto score = launch.oom_score_adj ? launch.oom_score_adj : entry_oom_score()) {
    auto end = std::to_chars(oom_score_, oom_score_ + sizeof oom_score_, *score).ptr;
    plan_.oom_score_adj = oom_score_;
    plan_.oom_length = static_cast<std::size_t>(end - oom_score_);
  }
  cpus_.clear();
  for (const unsigned cpu : launch.cpus) {
    if (cpu / 8 >= cpus_.size())
      cpus_.resize((std::size_t{cpu} / 64 + 1) * 8);  // a whole number of the kernel's longs
    cpus_[cpu / 8] = static_cast<std::uint8_t>(cpus_[cpu / 8] | 1U << cpu % 8);
  }
  plan_.cpus = cpus_.empty() ? nullptr : cpus_.data();
  plan_.cpus_length = cpus_.size();
  plan_.set_disk_priority = launch.disk_priority.has_value();
  plan_.disk_priority = launch.disk_priority.value_or(0);
  // Of what the kernel does not know, or is gone already, there is nothing to drop.
  plan_.dropped = launch.capabilities.dropped;
  plan_.bounded = plan_.dropped == 0 ? 0 : plan_.dropped & bounding_capabilities();
  plan_.ambient = launch.capabilities.ambient;
  limits_.clear();
  if (auto entry = entry_descriptor_limit()) limits_.push_back({RLIMIT_NOFILE, *entry});
  for (const ResourceLimit& limit : launch.rlimits)
    limits_.push_back({limit.resource, {limit.soft, limit.hard}});
  plan_.limits = limits_.data();
  plan_.limit_count = limits_.size();
  if (const Identity* identity = launch.identity.get()) {
    plan_.change_identity = changes_identity(*identity);
    plan_.uid = identity->uid;
    plan_.gid = identity->gid;
    plan_.groups = identity->groups.data();
    plan_.group_count = identity->groups.size();
  }
}

int Spawner::lay_out_descriptors(const Launch& launch) {
  moves_.clear();
  moves_.push_back({launch.standard_input >= 0 ? launch.standard_input : null_, 0});
  if (launch.standard_output >= 0) moves_.push_back({launch.standard_output, 1});
  if (launch.standard_error >= 0) moves_.push_back({launch.standard_error, 2});
  for (const PassedDescriptor& passed : launch.descriptors) moves_.push_back({passed.source, passed.target});

  plan_.foreground_tty = launch.foreground_tty;
  lent_cgroup_ = launch.cgroup;
  if (unshares_ && moves_.size() + extra_slots <= slots_.size()) {
    for (detail::ChildDescriptor& move : moves_) {
      if (move.source = lend(move.source); move.source < 0) return move.source;
    }
    if (launch.cgroup >= 0 && lent_.size() < slots_.size()) lent_cgroup_ = lend(launch.cgroup);
    if (plan_.foreground_tty >= 0) plan_.foreground_tty = lend(plan_.foreground_tty);
    plan_.first_unneeded = hole_;
  }
  if (int error = lay_out_sandbox(launch); error < 0) return error;
  // Standard streams from fresh sources are the rule; anything else might overwrite a source.
  int highest_target = 2;
  int highest_source = 2;
  bool collides = false;
  for (const detail::ChildDescriptor& move : moves_) {
    highest_target = std::max(highest_target, move.target);
    highest_source = std::max(highest_source, move.source);
    collides = collides || (move.source <= 2 && move.source != move.target);
  }
  if (collides || highest_target > 2) plan_.relocate_above = std::max(highest_target, highest_source) + 1;
  plan_.descriptors = moves_.data();
  plan_.descriptor_count = moves_.size();
  return 0;
}

int Spawner::lay_out_sandbox(const Launch& launch) {
  if (launch.sandbox == nullptr) return 0;
  plan_.mount_namespace = launch.sandbox->mounts();
  plan_.network_namespace = launch.sandbox->network();
  plan_.sandbox_root = launch.sandbox->root();
  if (plan_.first_unneeded == 0) return 0;
  for (int* fd : {&plan_.mount_namespace, &plan_.network_namespace, &plan_.sandbox_root}) {
    if (*fd >= 0) *fd = lend(*fd);
    if (*fd < -1) return *fd;
  }
  return 0;
}

int Spawner::lend(int source) {
  if (source < hole_) return source;
  auto already = std::ranges::find(lent_, source);
  auto slot = static_cast<std::size_t>(already - lent_.begin());
  if (already != lent_.end()) return slots_[slot];
  int result = syscalls_.duplicate(source, slots_[slot]);
  if (result >= 0) lent_.push_back(source);
  return result;
}

// At once: a slot that kept the write end of a log pipe would keep the pipe from ending.
void Spawner::take_back_slots() {
  for (std::size_t i = 0; i < lent_.size(); ++i) ::dup3(null_, slots_[i], O_CLOEXEC);
  lent_.clear();
  if (shim_end_ >= 0) ::close(std::exchange(shim_end_, -1));
}

}  // namespace belfry::system
