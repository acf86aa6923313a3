// The texts of a service that uses outputs of others, for one of its runs.
//
// The problem: `${db.PORT}` in a command is another word in each run of the database, and commands,
// variables, probes and sockets of a service are read in many places. So what a run begins with is written
// down here once, and whoever needs a text asks for it by the one in the file. A service without references
// has none of these.
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "config/model/output_reference.hpp"
#include "daemon/service/probe_watch.hpp"
#include "daemon/service/readiness.hpp"
#include "probes/factory.hpp"
#include "system/launch.hpp"

namespace belfry::daemon {

// What an output is at the start of a run.
struct BoundOutput {
  const config::OutputReference* reference;
  std::string value;
  bool secret = false;  // its provider says so
};

// Puts *** in the places of a secret, which is not empty.
void hide(std::string& text, std::string_view secret);

// Owner: the service, from the moment in which its edges hold to the next one.
// Lifecycle: immutable but for the probes that it makes, which it outlives.
class BoundTexts final : probes::Factory, probes::LaunchTemplate, public Redactor {
 public:
  // `means`: for probes as the file has them.
  // `kept` keeps `spec`, of which `outputs` are.
  BoundTexts(const config::Service& spec, SharedSpec kept, const ProbeMeans& means,
             std::vector<BoundOutput> outputs);
  ~BoundTexts() override = default;
  BoundTexts(const BoundTexts&) = delete;
  BoundTexts& operator=(const BoundTexts&) = delete;

  [[nodiscard]] const std::vector<BoundOutput>& outputs() const { return outputs_; }
  // For the probes of this run.
  [[nodiscard]] const ProbeMeans& means() const { return means_; }
  // Those of the last run have ended.
  void forget_probes() { probes_.clear(); }

  [[nodiscard]] config::Command command(const config::Command& words) const;
  // Variables that refer to outputs; the others are set already.
  void add_variables(system::Launch& launch) const;
  // Empty: none of its sockets refers to an output. The error names the address that is none.
  [[nodiscard]] Result<std::vector<config::ListenSocket>> sockets() const;
  // Without secrets. One of three bytes or less is taken out only where it is a word of its own.
  using Redactor::shown;
  [[nodiscard]] std::string shown(std::string text) const override;

 private:
  Result<std::unique_ptr<probes::Probe>> make(const config::Probe& probe,
                                              const probes::ProbeContext& context) override;
  void configure(system::Launch& launch) const override;
  [[nodiscard]] std::string text(std::string_view written) const;
  [[nodiscard]] Result<void> settle(config::Probe& probe) const;

  const config::Service& spec_;
  SharedSpec kept_;
  std::vector<BoundOutput> outputs_;
  std::vector<std::string_view> secrets_;  // the longest first: another one may be a part of it
  config::OutputValue value_of_;
  probes::Factory& factory_;
  ProbeMeans means_;  // with this as the factory and redactor
  std::deque<config::Probe> probes_;
  const probes::LaunchTemplate* launch_ = nullptr;  // the service's own
};

}  // namespace belfry::daemon
