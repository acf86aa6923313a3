// Probes whose answers a test decides.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "channels/loop.hpp"
#include "channels/sleep.hpp"
#include "probes/factory.hpp"

namespace belfry::testing {

struct ProbeAnswer {
  bool yes = true;
  Duration takes{0};  // longer than the attempt's timeout: it is cut off
  std::string why_not = "cannot connect: Connection refused";
};

// Owner: the test. Lifecycle: outlives the probes it made. Cancellation: of a check, within a turn.
class FakeProbes final : public probes::Factory {
 public:
  // The answer to one check; `spec.target` tells several probes of a service apart. Unset: yes, at once.
  std::function<ProbeAnswer(const std::string& service, const config::Probe& spec)> answer;
  // When a probe wants to be asked next, by the looks since an event. Unset: as the schedule says.
  std::function<std::optional<Duration>(std::uint32_t looks_since_event)> next_look;
  // Lets the making of a probe fail.
  std::function<bool(const std::string& service, const config::Probe& spec)> cannot_make;

  Result<std::unique_ptr<probes::Probe>> make(const config::Probe& probe,
                                              const probes::ProbeContext& context) override {
    if (cannot_make && cannot_make(context.service, probe)) {
      return std::unexpected(Error(Error::Kind::invalid, "cannot probe: kind is not supported"));
    }
    return std::make_unique<Asked>(*this, context.service, probe);
  }
  [[nodiscard]] std::size_t checks() const { return checks_; }
  // Of how many somebody is told that their answer may have changed.
  [[nodiscard]] std::size_t listened_to() const { return listened_to_; }
  [[nodiscard]] std::size_t checks_running() const { return running_; }

 private:
  class Asked final : public probes::Probe {
   public:
    Asked(FakeProbes& all, std::string service, const config::Probe& spec)
        : all_(all), service_(std::move(service)), spec_(spec) {}
    Task<probes::CheckResult> check(Context& ctx) override {
      ++all_.checks_;
      const ProbeAnswer said = all_.answer ? all_.answer(service_, spec_) : ProbeAnswer{};
      if (said.takes > Duration::zero()) {
        ++all_.running_;
        Result<void> waited = co_await sleep_for(ctx, said.takes);
        --all_.running_;
        if (!waited) co_return waited;
      }
      if (!said.yes) co_return std::unexpected(Error::failed(said.why_not));
      co_return Result<void>();
    }

    void tell(probes::NewsListener* listener) override {
      listener != nullptr ? ++all_.listened_to_ : --all_.listened_to_;
    }
    std::optional<Duration> next_look(std::uint32_t looks) const override {
      return all_.next_look ? all_.next_look(looks) : std::nullopt;
    }

   private:
    FakeProbes& all_;
    std::string service_;
    const config::Probe& spec_;
  };

  std::size_t checks_ = 0;
  std::size_t listened_to_ = 0;
  std::size_t running_ = 0;
};

}  // namespace belfry::testing
