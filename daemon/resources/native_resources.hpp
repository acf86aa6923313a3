// What services are given on a real machine. What all of them share is here; each has a handle of its own
// (native_handle).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/logs/pump.hpp"
#include "daemon/notify/router.hpp"
#include "daemon/resources/activation.hpp"
#include "daemon/resources/cgroups.hpp"
#include "daemon/resources/confinement.hpp"
#include "daemon/resources/descriptor_budget.hpp"
#include "daemon/resources/kept_record.hpp"
#include "daemon/resources/launch_setup.hpp"
#include "daemon/resources/listen_notifiers.hpp"
#include "daemon/resources/log_destinations.hpp"
#include "daemon/resources/manager_sockets.hpp"
#include "daemon/service/service_resources.hpp"
#include "probes/port_holder.hpp"
#include "system/oom_kills.hpp"
#include "system/poller.hpp"
#include "system/usage.hpp"

namespace belfry::daemon {

// What the handles share.
struct SharedResources {
  SharedResources(Loop& loop, const config::Stack& stack, system::Poller& poller, LogPump& pump);

  system::Poller& poller;
  LogPump& pump;
  LogDestinations logs;
  NotifyRouter router;
  LaunchSetup setup;
  Cgroups cgroups;
  Confinements confinements;
  ManagerSockets manager_sockets;
  Activation activation;
  ListenNotifiers notifiers;
  DescriptorBudget budget;
  system::OomKills oom_kills;
  probes::NativePortHolders port_holders;
  // Of the process that has ended last.
  pid_t ended = 0;
  system::Usage usage{};
  KeptRecord* kept = nullptr;      // null: the services die with belfry
  system::Guard* guard = nullptr;  // null: nobody, or somebody else
};

// Owner: the daemon. Lifecycle: open() before the first service; outlives the supervisor.
class NativeResources final : public ResourceProvider, public system::UsageListener {
 public:
  NativeResources(Loop& loop, const config::Stack& stack, system::Poller& poller, LogPump& pump);

  // Who ends what is started here when belfry is killed; before open().
  void guard_by(system::Guard& guard);
  // What the service manager has passed to belfry, and where it keeps sockets for belfry's next start; before
  // open(). `store` must outlive the last of them, or leave_sockets().
  void take_sockets(std::vector<system::InheritedDescriptor> descriptors, DescriptorStore& store,
                    std::function<void(const std::string& remark)> on_remark);
  // Everybody who is wanted at the start has his sockets.
  void give_up_sockets() { shared_.manager_sockets.give_up_all_but(Activation::names_in(stack_).late); }
  // From now on what is closed stays in the store.
  void leave_sockets() { shared_.manager_sockets.leave_to_the_next(); }
  // Looks users up, makes cgroups and the directory of the notify sockets.
  Result<void> open();
  // From here on what is started belongs to the stack that is known by this name, and is written down: it is
  // kept when belfry is killed.
  void keep_in(KeptRecord& record, std::string stack_id);
  std::unique_ptr<ServiceResources> open(const ServiceRef& service) override;
  void on_usage(pid_t pid, const system::Usage& usage) override;

  Result<void> admit(std::size_t index, const config::Service& spec, bool frees) override;
  void forget_admitted() override { shared_.activation.forget_admitted(); }
  void keep_sockets(std::size_t index) override { shared_.activation.keep(index); }
  void place(std::size_t index, const config::Service& spec) override;
  void forget(std::size_t index) override;
  // What has been remarked since the last call.
  [[nodiscard]] std::vector<std::string> take_remarks() { return std::exchange(remarks_, {}); }

  // The last lines of the service of this index, of all its runs; null: it has written nothing that belfry
  // reads. Lives as long as this.
  [[nodiscard]] const LogRing* log_of(std::size_t service) const { return shared_.logs.ring(service); }
  [[nodiscard]] std::vector<std::string> last_lines(std::size_t service, std::uint64_t run,
                                                    std::size_t most) const override;
  // Log files and log daemons: to be told of trouble, to open them again, and to write the last lines.
  [[nodiscard]] LogDestinations& logs() { return shared_.logs; }

  // What cannot be done as the file says on this machine, a line each; known after open().
  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }
  // Messages on the shared notify socket that came from nobody's process.
  [[nodiscard]] const std::uint64_t& unattributed_messages() const { return shared_.router.unattributed(); }
  // Environment of a process that belfry runs for somebody else (`exec`'s CMD).
  [[nodiscard]] const std::shared_ptr<const system::BaseEnvironment>& inherited() const {
    return shared_.setup.inherited();
  }

 private:
  const config::Stack& stack_;
  std::vector<std::string> remarks_;
  SharedResources shared_;
};

}  // namespace belfry::daemon
