// The real provisions: log pipes, notify sockets, users and environments.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/logs/pipe.hpp"
#include "daemon/notify/router.hpp"
#include "daemon/resources/activation.hpp"
#include "daemon/resources/kept_record.hpp"
#include "daemon/resources/listen_notifiers.hpp"
#include "daemon/service/provisions.hpp"
#include "system/cgroup.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

// Owner: App.
// Lifecycle: open() before the first service; outlives the supervisor.
// Cancellation: none, nothing waits.
class NativeProvisions final : public Provisions {
 public:
  NativeProvisions(Loop& loop, const config::Stack& stack, system::Poller& poller, LogPump& pump);
  ~NativeProvisions() override;

  // Looks users up and makes the directory of the notify sockets. A user that does not exist, or that belfry
  // may not become, is an error of the services that name it, when they are prepared.
  Result<void> open();

  void bind_sockets(Service& service) override;
  Result<void> prepare(Service& service, system::Launch& launch) override;
  void apply(const Service& service, system::Launch& launch) const override;
  Result<void> prepare_hook(Service& service, system::Launch& launch) override;
  void hook_started(Service& service) override;
  void started(Service& service) override;
  bool signal_main(Service& service, int signo) override { return router_.signal_main(service, signo); }
  bool follow_main(Service& service, pid_t pid) override { return router_.follow_main(service, pid); }
  void drain(Service& service) override;
  void release(Service& service) override;
  [[nodiscard]] ino_t log_pipe(const Service& service) const override;
  [[nodiscard]] std::string_view cgroup(const Service& service) const override;
  bool ran_out_of_memory(Service& service) override;
  // From here on what is started belongs to the stack that is known by this name, and is written down: it is
  // kept when belfry is killed.
  void keep_in(KeptRecord& record, std::string stack_id);
  // What cannot be done as the file says on this machine, a line each; known after open().
  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }
  // Messages on the shared notify socket that came from nobody's process.
  [[nodiscard]] const std::uint64_t& unattributed_messages() const { return router_.unattributed(); }
  [[nodiscard]] std::shared_ptr<probes::ListenMonitor> monitor(const Service& service) const override;
  // Environment of a process that belfry runs for somebody else (`exec`'s CMD).
  [[nodiscard]] const std::shared_ptr<const system::BaseEnvironment>& inherited() const { return inherited_; }

 private:
  struct Kit;  // what one service has been given

  Result<void> create_log_pipe(Service& service, Kit& kit, system::Launch& launch);
  void apply_own_output(system::Launch& launch) const;
  void create_cgroups();
  void look_up_identity(const config::Service& spec);
  [[nodiscard]] Result<void> check_identity(const config::Service& spec) const;
  [[nodiscard]] bool wants_leaf(const config::Service& spec) const;
  Result<void> create_leaf(Service& service, Kit& kit, system::Launch& launch);
  Result<void> create_ready_fds(Kit& kit, system::Launch& launch);
  void apply_descriptors(const Service& service, system::Launch& launch);
  Kit& kit_of(const Service& service);

  const config::Stack& stack_;
  system::Poller& poller_;
  LogPump& pump_;
  const uid_t own_user_ = ::geteuid();
  NotifyRouter router_;
  std::shared_ptr<const system::BaseEnvironment> inherited_;
  std::shared_ptr<const system::BaseEnvironment> empty_;
  // Whom a service runs as, or why it cannot.
  struct Person {
    std::shared_ptr<const system::Identity> identity;  // null: unknown
    std::string why_not;
  };
  std::unordered_map<std::string, Person> identities_;  // by "user:group"
  std::unique_ptr<system::CgroupTree> cgroups_;         // null: nobody asks for a leaf, or there can be none
  bool limits_apply_ = true;
  KeptRecord* kept_ = nullptr;  // null: the services die with belfry
  std::string stack_id_;
  std::vector<std::string> remarks_;
  Activation activation_;
  ListenNotifiers notifiers_;
  std::vector<std::unique_ptr<Kit>> kits_;
  std::size_t descriptors_ = 0;        // held for services that have not started
  std::size_t descriptor_budget_ = 0;  // how many may be, so that waiting ones do not starve running ones
};

}  // namespace belfry::daemon
