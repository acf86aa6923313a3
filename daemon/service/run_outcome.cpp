#include "daemon/service/run_outcome.hpp"

#include <algorithm>
#include <csignal>

namespace belfry::daemon {

bool exit_was_success(const Run& run, const config::Service& service) {
  if (!run.exit || run.failure) return false;
  if (run.exit->success()) return true;
  if (service.extras == nullptr || run.exit->signaled) return false;
  const auto& codes = service.extras->success_exit_codes;
  return std::ranges::find(codes, run.exit->value) != codes.end();
}

std::string signal_words(const system::ExitStatus& status, const EndFacts& facts) {
  std::string words;
  const auto& on_machine = facts.oom_kills_on_machine;
  switch (status.value) {
    case SIGKILL:
      if (status.out_of_memory) return "the kernel ended it at the memory limit of its cgroup (memory_max)";
      words = "belfry has not sent it";
      if (!on_machine || *on_machine == 0) return words;
      return words + "; it was probably the kernel's, for lack of memory: " +
             (*on_machine == 1 ? "one process of this machine was"
                               : std::to_string(*on_machine) + " processes of this machine were") +
             " ended so while it ran";
    case SIGSYS: words = "a seccomp filter ends who makes a system call that it does not allow"; break;
    case SIGXCPU: words = "its limit of processor time is reached (`rlimits: {cpu: …}`)"; break;
    case SIGXFSZ: words = "it wrote a file beyond its limit (`rlimits: {fsize: …}`)"; break;
    case SIGPIPE: words = "it wrote to somebody who had gone"; break;
    default: break;
  }
  if (!words.empty() && !facts.core.empty()) words += "; ";
  return words + facts.core;
}

Error last_exit_error(const Record& record, const config::Service& service) {
  const Run& run = record.run;
  if (!run.exit) return run.failure;
  const bool had_to_be_ready = service.type != config::ServiceType::oneshot || !service.ready.empty();
  std::string text = service.name + " " + run.exit->text();
  if (run.killed_by_command && run.exit->signaled) text += ", as `belfry kill` asked";
  if (!run.ready_at && had_to_be_ready) text += " before it was ready";
  text += run.said.of_the_end();
  if (!run.finding.empty()) text += ": " + run.finding;
  return Error::failed(std::move(text));
}

}  // namespace belfry::daemon
