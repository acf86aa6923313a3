// A stack made of literals: what HTTP sees of a supervisor, without one.
#pragma once

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "channels/bell.hpp"
#include "channels/loop.hpp"
#include "daemon/metrics/http_metrics.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// Owner: the test. Lifecycle: longer than what it is shown to. Cancellation: waits end with their context.
class FakeStack final : public StackView {
 public:
  explicit FakeStack(Loop& loop) : loop_(loop) {}

  struct Fake {
    explicit Fake(Loop& loop) : level(loop, "fake level") {}
    std::string name;
    ServiceView view;
    ServiceTimes times;
    bool has_times = false;
    PastRuns past_runs;
    TimelineView timeline;
    Bell<> level;  // what wait_for waits for; a service that is ready does not ask it
  };

  // The reference stays valid; the view's name is filled in when it is asked for.
  ServiceView& add(std::string name, State state = State::ready) {
    auto& fake = *fakes_.emplace_back(std::make_unique<Fake>(loop_));
    fake.name = std::move(name);
    fake.view.state = state;
    fake.view.ready = state == State::ready || state == State::completed;
    fake.view.wanted = true;
    fake.view.since = loop_.now();
    return fake.view;
  }
  Fake& fake(std::size_t index) { return *fakes_[index]; }

  std::string_view stack_name() const override { return "shop"; }
  std::size_t service_count() const override { return fakes_.size(); }
  ServiceView service(std::size_t index) const override {
    ServiceView view = fakes_[index]->view;
    view.name = fakes_[index]->name;
    return view;
  }
  std::optional<std::size_t> find(std::string_view name) const override {
    for (std::size_t index = 0; index < fakes_.size(); ++index) {
      if (fakes_[index]->name == name) return index;
    }
    return std::nullopt;
  }
  const ServiceTimes* times(std::size_t index) const override {
    return fakes_[index]->has_times ? &fakes_[index]->times : nullptr;
  }
  const PastRuns& past_runs(std::size_t index) const override { return fakes_[index]->past_runs; }
  bool stack_ready() const override {
    if (going_down) return false;
    for (const auto& fake : fakes_) {
      if (fake->view.wanted && !fake->view.ignored_by_health && !fake->view.ready) return false;
    }
    return true;
  }
  bool started_up() const override { return was_up; }
  bool shutting_down() const override { return going_down; }
  TimePoint now() const override { return loop_.now(); }

  TimelineView timeline(std::size_t index) const override { return fakes_[index]->timeline; }
  StartView start() const override { return start_view; }
  // Of those that are there, what `facts` says; who is asked for is the one of this index.
  StackFacts why_facts(std::optional<std::size_t> service) const override {
    StackFacts all = facts;
    all.about_stack = !service;
    if (service) all.asked = {*service};
    return all;
  }

  Task<Result<void>> wait_for(Context& ctx, std::size_t service, Level level) override {
    conditions.push_back(level.condition);
    bells.push_back(level.bell);
    negated.push_back(level.negated);
    if (breaks_at == service) throw std::runtime_error("out of cheese");
    ++waiting;
    const Outcome outcome = co_await fakes_[service]->level.wait(ctx);
    --waiting;
    if (outcome.rung()) co_return Result<void>();
    co_return std::unexpected(outcome.cause);
  }
  Task<CommandResult> command(Context& ctx, ServiceCommand command, std::size_t service,
                              Manner manner) override {
    commands.push_back({command, fakes_[service]->name, manner == Manner::alone});
    if (command_bell != nullptr) {
      const Outcome outcome = co_await command_bell->wait(ctx);
      if (outcome.cancelled())
        co_return CommandResult{CommandOutcome::shutting_down, "cannot wait any longer", {}};
    }
    co_return command_result;
  }
  void request_shutdown(std::string_view reason) override { shutdown_reason = reason; }

  struct Commanded {
    ServiceCommand command;
    std::string service;
    bool only;
    bool operator==(const Commanded&) const = default;
  };
  bool was_up = true, going_down = false;
  StartView start_view;
  StackFacts facts;
  int waiting = 0;                                       // waits in progress
  std::size_t breaks_at = static_cast<std::size_t>(-1);  // who waits for this service finds a bug
  std::vector<config::Condition> conditions;
  std::vector<std::string> bells;
  std::vector<bool> negated;
  std::vector<Commanded> commands;
  CommandResult command_result{CommandOutcome::done, "done", {}};
  Bell<>* command_bell = nullptr;  // when set, commands are done when it rings
  std::string shutdown_reason;

 private:
  Loop& loop_;
  std::vector<std::unique_ptr<Fake>> fakes_;
};

class FakeMetrics final : public HttpMetrics {
 public:
  void write(std::string& out, Exposition exposition) override {
    out += body;
    if (exposition == Exposition::open_metrics) out += "# EOF\n";
  }
  void request_answered(int status) override { statuses.push_back(status); }
  void command_ended(ServiceCommand, CommandOutcome outcome) override { outcomes.push_back(outcome); }
  void connection_accepted() override { ++accepted, ++open; }
  void connection_closed() override { --open; }
  void connection_refused() override { ++refused; }
  void connection_shed() override { ++shed; }
  void stream_dropped() override { ++dropped; }

  std::string body = "up 1\n";
  std::vector<int> statuses;  // of all answers
  std::vector<CommandOutcome> outcomes;
  std::size_t accepted = 0, open = 0, refused = 0, shed = 0, dropped = 0;
};

}  // namespace belfry::daemon
