// What one service is given on a real machine.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/logs/pipes.hpp"
#include "daemon/resources/confinement.hpp"
#include "daemon/resources/log_patterns.hpp"
#include "daemon/resources/native_resources.hpp"
#include "daemon/resources/outputs_file.hpp"
#include "daemon/resources/ready_fd.hpp"
#include "daemon/resources/standard_input.hpp"
#include "system/cgroup.hpp"
#include "system/oom_kills.hpp"

namespace belfry::daemon {

// Owner: the service. Lifecycle: ServiceResources has the contract; what is made in prepare() is made once
//   and kept until launched() has passed it on.
class NativeHandle final : public ServiceResources, ReadyFdListener {
 public:
  NativeHandle(SharedResources& shared, const ServiceRef& service);
  ~NativeHandle() override;

  void bind_sockets() override;
  void listen_at(const std::vector<config::ListenSocket>& sockets) override {
    shared_.activation.plan(service_.index(), sockets);
  }
  void forget_outputs() override { outputs_file_.begin_run(service_.spec()); }
  Result<OutputList> read_outputs() override { return outputs_file_.read(service_.spec(), shared_.setup); }
  Result<void> prepare(system::Launch& launch, bool ahead) override;
  void configure(system::Launch& launch) const override;
  void launched(pid_t pid) override;
  Result<system::OwnedFd> prepare_hook(system::Launch& launch) override;
  bool signal_main(int signo) override { return shared_.router.signal_main(service_, signo); }
  bool follow_main(pid_t pid) override { return shared_.router.follow_main(service_, pid); }
  void drain() override;
  bool release(bool may_come_back) override;
  [[nodiscard]] TreeTraces traces() const override;
  EndFacts facts_of_end(pid_t main, const system::ExitStatus& status) override;
  std::string take_last_words() override { return log_.take_last_words(); }
  std::optional<CgroupUsage> take_cgroup_usage() override;
  probes::PortHolders* port_holders() override { return &shared_.port_holders; }
  [[nodiscard]] std::shared_ptr<probes::ListenMonitor> listen_monitor() const override {
    return listening_ ? listening_->monitor : nullptr;
  }

 private:
  [[nodiscard]] bool passes_output_through() const;
  void apply_own_output(system::Launch& launch) const;
  Result<void> create_log_pipe(system::Launch& launch);
  Result<void> create_leaf(system::Launch& launch);
  Result<void> create_ready_fds(system::Launch& launch);
  void apply_descriptors(system::Launch& launch);
  void hold(std::uint16_t more);
  void give_back_what_the_child_has();

  void wrote_ready(const config::Probe& probe) override;
  void closed_unready(const config::Probe& probe, const Error& why) override;

  SharedResources& shared_;
  ServiceRef service_;
  std::unique_ptr<LogOutputs> outputs_;
  LogPipes log_;
  std::unique_ptr<LogPatterns> log_patterns_;  // null: it has no `log` probe
  std::vector<std::unique_ptr<ReadyFd>> ready_fds_;
  std::unique_ptr<system::CgroupLeaf> leaf_;
  std::unique_ptr<Confinement> confinement_;  // null: it has none
  StandardInput standard_input_;
  OutputsFile outputs_file_;
  std::unique_ptr<ListenNotifiers::PerService> listening_;  // of a service that waits for a socket of its own
  LogPipes::WriteEnds write_ends_;                          // for the next run
  system::OomKills::Look oom_kills_before_;                 // the current run
  std::uint16_t held_ = 0;                                  // descriptors counted against the budget
};

}  // namespace belfry::daemon
