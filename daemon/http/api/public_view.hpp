// The stack as a client sees it who has shown nothing of himself.
#pragma once

#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// Whoever can open a TCP connection may learn who is ready, for how long, and who waits for whom. What a
// service, a probe or the system said in words may hold anything: command lines, URLs with passwords, lines
// of files. So the fields that are copied are named, here and in a test, and whatever is added to ServiceView
// stays hidden until somebody adds it to both. Owner: the call that answers. Lifecycle: shorter than `whole`.
// Cancellation: none of its own.
class PublicView final : public StackView {
 public:
  explicit PublicView(StackView& whole) : whole_(whole) {}

  [[nodiscard]] std::string_view stack_name() const override { return whole_.stack_name(); }
  [[nodiscard]] std::size_t service_count() const override { return whole_.service_count(); }
  [[nodiscard]] std::vector<std::size_t> shown() const override { return whole_.shown(); }
  [[nodiscard]] ServiceView service(std::size_t index) const override;
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const override {
    return whole_.find(name);
  }
  [[nodiscard]] const ServiceTimes* times(std::size_t index) const override { return whole_.times(index); }
  // Numbers, and how it ended in words of belfry's own.
  [[nodiscard]] const PastRuns& past_runs(std::size_t index) const override {
    return whole_.past_runs(index);
  }
  [[nodiscard]] bool stack_ready() const override { return whole_.stack_ready(); }
  [[nodiscard]] bool started_up() const override { return whole_.started_up(); }
  [[nodiscard]] bool shutting_down() const override { return whole_.shutting_down(); }
  [[nodiscard]] TimePoint now() const override { return whole_.now(); }
  [[nodiscard]] TimelineView timeline(std::size_t index) const override { return whole_.timeline(index); }
  [[nodiscard]] StartView start() const override { return whole_.start(); }
  [[nodiscard]] StackFacts why_facts(std::optional<std::size_t> service) const override;
  Task<Result<void>> wait_for(Context& ctx, std::size_t service, Level level) override {
    return whole_.wait_for(ctx, service, std::move(level));
  }
  Task<CommandResult> command(Context& ctx, ServiceCommand command, std::size_t service,
                              Manner manner) override {
    return whole_.command(ctx, command, service, manner);
  }
  void request_shutdown(std::string_view reason) override { whole_.request_shutdown(reason); }

 private:
  StackView& whole_;
};

}  // namespace belfry::daemon::http
