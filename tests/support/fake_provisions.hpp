// Provisions that provide nothing, and remember who holds some.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/service/provisions.hpp"
#include "daemon/service/service.hpp"

namespace belfry::testing {

// Owner: the test. Lifecycle: outlives the services. Cancellation: none.
class FakeProvisions final : public daemon::Provisions {
 public:
  // Lets a preparation fail: no descriptors are left.
  std::function<Result<void>(const daemon::Service&)> refuse;
  // What the service's last words are; called when they are read.
  std::function<void(daemon::Service&)> last_words;
  // What was sent to processes that services called their main ones.
  std::vector<std::pair<std::string, int>> main_signals;
  // Those for whom something was made ready and not given back.
  [[nodiscard]] const std::set<std::string, std::less<>>& held() const { return held_; }

  // Those whose sockets are bound.
  [[nodiscard]] const std::set<std::string, std::less<>>& bound() const { return bound_; }
  // Called when sockets are bound for the first time since they were released.
  std::function<void(const daemon::Service&)> on_bind;

  void bind_sockets(daemon::Service& service) override {
    if (!service.spec().extras || service.spec().extras->listen.empty()) return;
    if (refuse && !refuse(service)) return;
    if (bound_.emplace(service.name()).second && on_bind) on_bind(service);
  }
  Result<void> prepare(daemon::Service& service, system::Launch& launch) override {
    if (refuse) {
      if (auto ok = refuse(service); !ok) return ok;
    }
    bind_sockets(service);
    launch.set_command(service.spec().command);
    held_.emplace(service.name());
    return {};
  }
  void apply(const daemon::Service&, system::Launch&) const override {}
  Result<void> prepare_hook(daemon::Service&, system::Launch&) override { return {}; }
  void hook_started(daemon::Service&) override {}
  void started(daemon::Service&) override {}
  bool signal_main(daemon::Service& service, int signo) override {
    main_signals.emplace_back(service.name(), signo);
    return true;
  }
  // Whom a service was taken to have made its main process. Unless asked for, none can be followed.
  bool can_follow = false;
  std::vector<pid_t> followed;
  bool follow_main(daemon::Service&, pid_t pid) override {
    followed.push_back(pid);
    return can_follow;
  }
  void drain(daemon::Service& service) override {
    if (last_words) last_words(service);
  }
  void release(daemon::Service& service) override {
    if (const auto it = held_.find(service.name()); it != held_.end()) held_.erase(it);
    if (const auto it = bound_.find(service.name()); it != bound_.end()) bound_.erase(it);
  }
  [[nodiscard]] ino_t log_pipe(const daemon::Service&) const override { return 0; }

 private:
  std::set<std::string, std::less<>> held_;
  std::set<std::string, std::less<>> bound_;
};

}  // namespace belfry::testing
