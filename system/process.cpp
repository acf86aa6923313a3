#include "system/process.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "system/capabilities.hpp"
#include "system/descriptors.hpp"
#include "system/proc.hpp"

namespace belfry::system {

std::string_view name_of(SpawnStage stage) {
  static constexpr std::array<std::string_view, 12> names = {
      "clone",  "shim",         "cgroup",   "session",      "sandbox",     "descriptors",
      "limits", "capabilities", "identity", "capabilities", "working_dir", "exec"};
  return names[std::to_underlying(stage)];
}

std::string SpawnError::text(std::string_view command) const {
  std::string out(name_of(stage));
  // "No such file" of a file that is there is said of another one.
  if (errnum != 0 && (errnum != ENOENT || cause.empty())) {
    out += ": ";
    out += std::strerror(errnum);
  }
  std::string_view thing = detail.empty() ? command : std::string_view(detail);
  if (!thing.empty()) {
    out += ": ";
    out += thing;
  }
  if (!cause.empty()) out += ": " + cause;
  if (errnum == EAGAIN && cause.empty()) out += how_to_raise_the_process_limit;
  if (errnum == EMFILE) out += how_to_raise_the_limit;
  return out;
}

bool SpawnError::transient() const {
  return stage == SpawnStage::clone || errnum == EAGAIN || errnum == ENOMEM || errnum == EMFILE ||
         errnum == ENFILE || errnum == ETXTBSY;
}

ExitStatus exit_status(int code, int status) {
  return {.signaled = code != CLD_EXITED, .value = status, .core = code == CLD_DUMPED};
}

std::string ExitStatus::text() const {
  if (!signaled) return "exited with code " + std::to_string(value);
  std::string out = "killed by " + signal_name(value);
  if (core) out += " (core dumped)";
  if (out_of_memory) out += " (out of memory)";
  return out;
}

// Of a crowd the first, and how many more there are.
std::string text_of(const std::vector<Survivor>& processes) {
  constexpr std::size_t most_named = 16;
  std::string who;
  for (const Survivor& process : std::span(processes).first(std::min(processes.size(), most_named))) {
    who += (who.empty() ? "" : ", ") + std::to_string(process.pid) + " " + process.name;
    if (process.state == 'D') who += " (in uninterruptible sleep)";
    if (process.refused == 0) continue;
    who += std::string(" (") + std::strerror(process.refused);
    who += has_capability(CAP_KILL) ? ")" : ": belfry lacks CAP_KILL)";
  }
  if (processes.size() > most_named) {
    who += processes.size() == proc::most_survivors ? " and at least " : " and ";
    who += std::to_string(processes.size() - most_named) + " more";
  }
  return who;
}

std::string signal_name(int signo) {
  if (const char* name = sigabbrev_np(signo)) return std::string("SIG") + name;
  if (signo >= SIGRTMIN && signo <= SIGRTMAX) {
    return signo == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(signo - SIGRTMIN);
  }
  return "signal " + std::to_string(signo);
}

}  // namespace belfry::system
