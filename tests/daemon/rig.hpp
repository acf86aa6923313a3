// A supervisor on a loop whose clock a test moves, with processes, probes and resources that do as told.
#pragma once

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "daemon/service/description.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "tests/support/fake_probes.hpp"
#include "tests/support/fake_processes.hpp"
#include "tests/support/fake_resources.hpp"
#include "tests/support/stack_builder.hpp"

namespace belfry::testing {

using config::Condition;
using config::OnLoss;
using config::ServiceType;
using daemon::CommandOutcome;
using daemon::CommandResult;
using daemon::Manner;
using daemon::Service;
using daemon::ServiceCommand;
using daemon::State;
using namespace std::string_literals;

// Writes down every change of state: "db waiting", "db starting", …
class Chronicle final : public daemon::Reporter {
 public:
  void state_changed(const Service& service, State, State to) override {
    entries.push_back(std::string(service.name()) + " " + std::string(daemon::name_of(to)));
    if (on_change) on_change(service, to);
  }
  void notice(std::string_view service, const std::string& text) override {
    notices.push_back(std::string(service) + " " + text);
  }
  std::function<void(const Service&, State to)> on_change;
  std::vector<std::string> entries;
  std::vector<std::string> notices;
};

class Rig : public ::testing::Test {
 public:
  ~Rig() override {
    if (supervisor) {
      loop.abandon();
    }
  }

  // Services are added to `stack`, then it is brought up.
  config::Service& daemon(std::string name, std::initializer_list<const char*> on = {}) {
    return add(std::move(name), ServiceType::daemon, on);
  }
  config::Service& oneshot(std::string name, std::initializer_list<const char*> on = {}) {
    return add(std::move(name), ServiceType::oneshot, on);
  }
  config::Service& gate(std::string name, std::initializer_list<const char*> on = {}) {
    return add(std::move(name), ServiceType::gate, on);
  }
  config::Service& external(std::string name, std::initializer_list<const char*> on = {}) {
    config::Service& made = add(std::move(name), ServiceType::external, on);
    made.ready.probes.push_back(a_probe());
    return made;
  }
  static config::Service& speaking(config::Service& service) {
    service.ready.probes.push_back(a_probe(config::Probe::Kind::notify));
    return service;
  }

  void up(const std::vector<std::string>& names = {}) {
    supervisor =
        std::make_unique<daemon::Supervisor>(root, stack, processes, resources, probes, chronicle, 1);
    supervisor->begin(names);
    loop.run_until_idle();
  }
  void down(Duration budget = 25s) {
    supervisor->stop_everything(loop.now() + budget, Error::closed("the stack goes down"));
    loop.run_until_idle();
  }
  void advance(Duration by) { loop.advance(by); }

  Service& service(std::string_view name) { return supervisor->at(*supervisor->find(name)); }
  State state(std::string_view name) { return service(name).state(); }
  std::string cause(std::string_view name) { return service(name).record().cause.text(); }
  void say_ready(std::string_view name) {
    service(name).said({.ready = true});
    loop.run_until_idle();
  }
  void end(std::string_view name, int code = 0) {
    processes.end(name, {.signaled = false, .value = code});
    loop.run_until_idle();
  }
  void script(std::string name, ProcessScript what) {
    scripts_.emplace_back(std::move(name), std::move(what));
    processes.script = [this](const RunId& id) {
      for (const auto& [service, plan] : scripts_) {
        if (service == id.service) return plan;
      }
      return ProcessScript{};
    };
  }
  void forget_scripts() { scripts_.clear(); }

  // A request that is running: `result` is empty until it has its answer.
  struct Asked {
    explicit Asked(Loop& loop) : context(loop) {}
    Context context;
    std::optional<CommandResult> result;
    std::optional<Result<void>> waited;
  };
  Asked& command(ServiceCommand what, std::string_view name, Manner manner = Manner::in_order) {
    Asked& asked = ask_later(what, name, manner);
    loop.run_until_idle();
    return asked;
  }
  // In the coming turn, together with what else is asked before it.
  Asked& ask_later(ServiceCommand what, std::string_view name, Manner manner = Manner::in_order) {
    Asked& asked = asked_.emplace_back(loop);
    spawn(requests, "command", run_command(asked, what, *supervisor->find(name), manner));
    return asked;
  }
  Asked& wait_for(std::string_view name, Condition condition, std::string bell = {}) {
    return wait_for(name, daemon::Level{.condition = condition, .bell = std::move(bell)});
  }
  Asked& wait_for(std::string_view name, daemon::Level level) {
    Asked& asked = asked_.emplace_back(loop);
    spawn(requests, "wait", run_wait(asked, *supervisor->find(name), std::move(level)));
    loop.run_until_idle();
    return asked;
  }
  // Where an entry stands in the processes' log; -1: it isn't there.
  long when(const std::string& entry) const {
    const auto& log = processes.log();
    const auto it = std::ranges::find(log, entry);
    return it == log.end() ? -1 : it - log.begin();
  }

  ManualClock clock;
  Loop loop{clock};
  Context root{loop};
  config::Stack stack = a_stack();
  FakeProcesses processes{loop};
  FakeResources resources;
  FakeProbes probes;
  Chronicle chronicle;
  std::unique_ptr<daemon::Supervisor> supervisor;
  WaitGroup requests{loop, "requests"};

 private:
  config::Service& add(std::string name, ServiceType type, std::initializer_list<const char*> on) {
    config::Service& made = a_service(stack, std::move(name), type);
    for (const char* other : on) depends(made, stack, other);
    return made;
  }
  Task<void> run_command(Asked& asked, ServiceCommand what, std::size_t index, Manner manner) {
    CommandResult result = co_await supervisor->command(asked.context, what, index, manner);
    asked.result = std::move(result);
  }
  Task<void> run_wait(Asked& asked, std::size_t index, daemon::Level level) {
    Result<void> result = co_await supervisor->wait_for(asked.context, index, level);
    asked.waited = std::move(result);
  }

  std::vector<std::pair<std::string, ProcessScript>> scripts_;
  std::deque<Asked> asked_;
};

}  // namespace belfry::testing
