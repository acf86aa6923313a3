// Resources that are none, and remember who holds some.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "channels/sleep.hpp"
#include "daemon/service/service_events.hpp"
#include "daemon/service/service_resources.hpp"
#include "probes/port_holder.hpp"

namespace belfry::testing {

// Owner: the test. Lifecycle: outlives the services.
class FakeResources final : public daemon::ResourceProvider {
 public:
  // Lets a preparation fail: no descriptors are left. `runs`: so far.
  std::function<Result<void>(const config::Service&, std::uint64_t runs)> refuse;
  // What the service's last words are; called when they are read.
  std::function<void(const config::Service&, daemon::ServiceEvents&)> last_words;
  // What the machine knows of an end, and what the run has written last.
  std::function<daemon::EndFacts(const config::Service&, const system::ExitStatus&)> end_facts;
  std::function<std::string(const config::Service&)> output_tail;
  std::optional<daemon::CgroupUsage> cgroup_usage;
  // Who has a port; unset: nobody can be asked. `search_takes`: until the answer is there.
  std::function<probes::PortHolder(const probes::Port&)> port_holder;
  Duration search_takes{0};
  // What was sent to processes that services called their main ones.
  std::vector<std::pair<std::string, int>> main_signals;
  // Called when sockets are bound for the first time since they were released.
  std::function<void(const config::Service&)> on_bind;
  // Whom a service was taken to have made its main process. Unless asked for, none can be followed.
  bool can_follow = false;
  std::vector<pid_t> followed;

  // What a service has written into the file of its outputs.
  std::function<Result<daemon::OutputList>(const config::Service&)> outputs_file;
  int outputs_forgotten = 0;  // at the beginning of a run
  // Where sockets that refer to outputs are bound.
  std::vector<std::string> addresses;
  std::map<std::string, std::string, std::less<>> commands;  // by service: the program of its last run

  // Those for whom something was made ready and not given back.
  [[nodiscard]] const std::set<std::string, std::less<>>& held() const { return held_; }
  // Those whose sockets are bound.
  [[nodiscard]] const std::set<std::string, std::less<>>& bound() const { return bound_; }

  void keep_sockets(std::size_t index) override {
    if (const auto name = names_.find(index); name != names_.end() && bound_.contains(name->second))
      kept_.insert(name->second);
  }
  void place(std::size_t index, const config::Service& spec) override {
    const bool was_bound = kept_.erase(spec.name) > 0;
    names_[index] = spec.name;
    if (was_bound && spec.extras && !spec.extras->listen.empty()) bound_.emplace(spec.name);
  }

  std::unique_ptr<daemon::ServiceResources> open(const daemon::ServiceRef& service) override {
    names_[service.index()] = service.name();
    return std::make_unique<Handle>(*this, service);
  }

 private:
  class Handle final : public daemon::ServiceResources {
   public:
    Handle(FakeResources& all, const daemon::ServiceRef& service)
        : all_(all), service_(service.spec()), events_(service.events()) {}

    void bind_sockets() override {
      if (!service_.extras || service_.extras->listen.empty()) return;
      if (all_.refuse && !all_.refuse(service_, events_.facts().runs)) return;
      if (all_.bound_.emplace(service_.name).second && all_.on_bind) all_.on_bind(service_);
    }
    void listen_at(const std::vector<config::ListenSocket>& sockets) override {
      for (const config::ListenSocket& one : sockets)
        all_.addresses.push_back(one.address + ":" + std::to_string(one.port));
    }
    void forget_outputs() override { ++all_.outputs_forgotten; }
    Result<daemon::OutputList> read_outputs() override {
      return all_.outputs_file ? all_.outputs_file(service_) : daemon::OutputList();
    }
    Result<void> prepare(system::Launch& launch, bool) override {
      if (all_.refuse) {
        if (auto ok = all_.refuse(service_, events_.facts().runs); !ok) return ok;
      }
      bind_sockets();
      all_.commands[service_.name] = std::string(launch.command());
      all_.held_.emplace(service_.name);
      return {};
    }
    void configure(system::Launch&) const override {}
    void launched(pid_t) override {}
    Result<system::OwnedFd> prepare_hook(system::Launch&) override { return system::OwnedFd(); }
    bool signal_main(int signo) override {
      all_.main_signals.emplace_back(service_.name, signo);
      return true;
    }
    bool follow_main(pid_t pid) override {
      all_.followed.push_back(pid);
      return all_.can_follow;
    }
    void drain() override {
      if (all_.last_words) all_.last_words(service_, events_);
    }
    bool release(bool) override {
      all_.held_.erase(service_.name);
      all_.bound_.erase(service_.name);
      return true;
    }
    probes::PortHolders* port_holders() override { return all_.port_holder ? &all_.holders_ : nullptr; }
    [[nodiscard]] daemon::TreeTraces traces() const override { return {}; }
    daemon::EndFacts facts_of_end(pid_t, const system::ExitStatus& status) override {
      return all_.end_facts ? all_.end_facts(service_, status) : daemon::EndFacts();
    }
    std::string take_last_words() override {
      return all_.output_tail ? all_.output_tail(service_) : std::string();
    }
    std::optional<daemon::CgroupUsage> take_cgroup_usage() override { return all_.cgroup_usage; }
    [[nodiscard]] std::shared_ptr<probes::ListenMonitor> listen_monitor() const override { return nullptr; }

   private:
    FakeResources& all_;
    const config::Service& service_;
    daemon::ServiceEvents& events_;
  };

  class Holders final : public probes::PortHolders {
   public:
    explicit Holders(FakeResources& all) : all_(all) {}
    bool is_held(const probes::Port& port) override { return all_.port_holder(port).is_held; }
    Task<probes::PortHolder> holder_of(Context& ctx, probes::Port port) override {
      probes::PortHolder found = all_.port_holder(port);
      if (all_.search_takes > Duration::zero()) {
        const Result<void> waited = co_await sleep_for(ctx, all_.search_takes);
        found.gave_up = !waited;
      }
      co_return found;
    }

   private:
    FakeResources& all_;
  };

  Holders holders_{*this};
  std::set<std::string, std::less<>> held_;
  std::set<std::string, std::less<>> bound_;
  std::set<std::string, std::less<>> kept_;  // while a reload is on its way
  std::map<std::size_t, std::string> names_;
};

}  // namespace belfry::testing
