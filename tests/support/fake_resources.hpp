// Resources that are none, and remember who holds some.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/service/service_events.hpp"
#include "daemon/service/service_resources.hpp"

namespace belfry::testing {

// Owner: the test. Lifecycle: outlives the services.
class FakeResources final : public daemon::ResourceProvider {
 public:
  // Lets a preparation fail: no descriptors are left. `runs`: so far.
  std::function<Result<void>(const config::Service&, std::uint64_t runs)> refuse;
  // What the service's last words are; called when they are read.
  std::function<void(const config::Service&, daemon::ServiceEvents&)> last_words;
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

  std::unique_ptr<daemon::ServiceResources> open(const daemon::ServiceRef& service) override {
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
    [[nodiscard]] daemon::TreeTraces traces() const override { return {}; }
    bool ran_out_of_memory() override { return false; }
    [[nodiscard]] std::shared_ptr<probes::ListenMonitor> listen_monitor() const override { return nullptr; }

   private:
    FakeResources& all_;
    const config::Service& service_;
    daemon::ServiceEvents& events_;
  };

  std::set<std::string, std::less<>> held_;
  std::set<std::string, std::less<>> bound_;
};

}  // namespace belfry::testing
