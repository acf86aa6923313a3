// The real provisions: log pipes, notify sockets, users and environments.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/model.hpp"
#include "daemon/activation.hpp"
#include "daemon/listen_traps.hpp"
#include "daemon/log_pump.hpp"
#include "daemon/notify_desk.hpp"
#include "daemon/poller.hpp"
#include "daemon/provisions.hpp"
#include "system/cgroup.hpp"

namespace belfry::daemon {

// Owner: App.
// Lifecycle: open() before the first service; outlives the supervisor.
// Cancellation: none, nothing waits.
class NativeProvisions final : public Provisions {
 public:
  NativeProvisions(Loop& loop, const config::Stack& stack, Poller& poller, LogPump& pump);
  ~NativeProvisions() override;

  // Looks users up and makes the directory of the notify sockets. Errors name every user that does not exist.
  Result<void> open();

  void bind_sockets(Service& service) override;
  Result<void> prepare(Service& service, system::Launch& launch) override;
  void outfit(const Service& service, system::Launch& launch) const override;
  Result<void> prepare_hook(Service& service, system::Launch& launch) override;
  void hook_started(Service& service) override;
  void started(Service& service) override;
  bool signal_main(Service& service, int signo) override { return desk_.signal_main(service, signo); }
  bool follow_main(Service& service, pid_t pid) override { return desk_.follow_main(service, pid); }
  void drain(Service& service) override;
  void release(Service& service) override;
  [[nodiscard]] ino_t log_pipe(const Service& service) const override;
  [[nodiscard]] std::string_view cgroup(const Service& service) const override;
  bool ran_out_of_memory(Service& service) override;
  // What cannot be done as the file says on this machine, a line each; known after open().
  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }
  // Messages on the shared notify socket that came from nobody's process.
  [[nodiscard]] const std::uint64_t& unattributed_messages() const { return desk_.unattributed(); }
  [[nodiscard]] std::shared_ptr<probes::ListenEar> ear(const Service& service) const override;
  // Environment of a process that belfry runs for somebody else (`exec`'s CMD).
  [[nodiscard]] const std::shared_ptr<const system::BaseEnvironment>& inherited() const { return inherited_; }

 private:
  struct Kit;  // what one service has been given

  Result<void> lay_log_pipe(Service& service, Kit& kit, system::Launch& launch);
  void plant_cgroups();
  [[nodiscard]] bool wants_leaf(const config::Service& spec) const;
  Result<void> lay_leaf(Service& service, Kit& kit, system::Launch& launch);
  Result<void> lay_ready_fds(Kit& kit, system::Launch& launch);
  void lay_descriptors(const Service& service, system::Launch& launch);
  Kit& kit_of(const Service& service);

  const config::Stack& stack_;
  Poller& poller_;
  LogPump& pump_;
  const uid_t own_user_ = ::geteuid();
  NotifyDesk desk_;
  std::shared_ptr<const system::BaseEnvironment> inherited_;
  std::shared_ptr<const system::BaseEnvironment> empty_;
  std::unordered_map<std::string, std::shared_ptr<const system::Identity>> identities_;  // by "user:group"
  std::unique_ptr<system::CgroupTree> cgroups_;  // null: nobody asks for a leaf, or there can be none
  bool limits_apply_ = true;
  std::vector<std::string> remarks_;
  Activation activation_;
  ListenTraps traps_;
  std::vector<std::unique_ptr<Kit>> kits_;
  std::size_t descriptors_ = 0;        // held for services that have not started
  std::size_t descriptor_budget_ = 0;  // how many may be, so that waiting ones do not starve running ones
};

}  // namespace belfry::daemon
