#include "daemon/service/run_outcome.hpp"

#include <algorithm>

namespace belfry::daemon {

bool exit_was_success(const Run& run, const config::Service& service) {
  if (!run.exit || run.failure) return false;
  if (run.exit->success()) return true;
  if (service.extras == nullptr || run.exit->signaled) return false;
  const auto& codes = service.extras->success_exit_codes;
  return std::ranges::find(codes, run.exit->value) != codes.end();
}

Error last_exit_error(const Record& record, const config::Service& service) {
  const Run& run = record.run;
  if (!run.exit) return run.failure;
  const bool had_to_be_ready = service.type != config::ServiceType::oneshot || !service.ready.empty();
  std::string text = service.name + " " + run.exit->text();
  if (run.killed_by_command && run.exit->signaled) text += ", as `belfry kill` asked";
  if (!run.ready_at && had_to_be_ready) text += " before it was ready";
  return Error::failed(text + run.said.of_the_end());
}

}  // namespace belfry::daemon
