#include "system/spawn_failure.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <string_view>

#include "system/capabilities.hpp"
#include "system/exec_diagnosis.hpp"
#include "system/identity.hpp"
#include "system/oom_score.hpp"
#include "system/spawn_child.hpp"

namespace belfry::system {

namespace {

std::string limit_name(int resource) {
  static constexpr const char* names[] = {"cpu",      "fsize",  "data",    "stack", "core",  "rss",
                                          "nproc",    "nofile", "memlock", "as",    "locks", "sigpending",
                                          "msgqueue", "nice",   "rtprio",  "rttime"};
  if (resource < 0 || static_cast<std::size_t>(resource) >= std::size(names)) return {};
  return std::string("limit ") + names[resource];
}

Executor executor_of(const Launch& launch) {
  if (launch.identity) return {launch.identity->uid, launch.identity->groups};
  return {::geteuid(), {}};
}

void explain_directory(const Launch& launch, SpawnError& error) {
  error.detail = launch.working_dir;
  struct stat status{};
  const bool found = ::stat(launch.working_dir.c_str(), &status) == 0;
  if (error.errnum == ENOTDIR && found) error.cause = "it is not a directory";
  if (error.errnum == EACCES) error.cause = why_not_enterable(launch.working_dir, executor_of(launch));
  if (error.errnum == ENOENT && found && launch.sandbox != nullptr) error.cause = "`sandbox` hides it";
}

// What was asked for, and who may have it.
void explain_limit(const Launch& launch, int failed, SpawnError& error) {
  error.detail = limit_name(failed);
  const bool refused = error.errnum == EACCES || error.errnum == EPERM;
  if (failed == detail::failed_nice) {
    error.detail = "nice " + std::to_string(launch.nice.value_or(0));
    if (refused) error.cause = "only root (CAP_SYS_NICE) may raise a priority";
  } else if (failed == detail::failed_oom_score) {
    const auto score = launch.oom_score_adj ? launch.oom_score_adj : entry_oom_score();
    error.detail = "oom_score_adj " + std::to_string(score.value_or(0));
    if (refused) error.cause = "only root (CAP_SYS_RESOURCE) may lower it";
  } else if (failed == detail::failed_cpus) {
    error.detail = "cpu_affinity";
    if (error.errnum == EINVAL) error.cause = "this machine, or belfry's cpuset, has none of these CPUs";
  } else if (failed == detail::failed_disk_priority) {
    error.detail = "io_priority";
    if (refused) error.cause = "only root (CAP_SYS_NICE) may have the class realtime";
  } else if (refused) {
    error.cause = "only root (CAP_SYS_RESOURCE) may raise a hard limit";
  }
}

std::string kibibytes(std::size_t bytes) { return std::to_string((bytes + 1023) / 1024) + " KiB"; }

// execve(2), "Limits on size of arguments and environment".
std::string why_too_big(const Launch& launch, const SpawnWords& words) {
  constexpr std::size_t longest_word = std::size_t{128} << 10;  // MAX_ARG_STRLEN, of pages of 4 KiB
  constexpr std::size_t least = std::size_t{128} << 10, most = std::size_t{6} << 20;
  std::size_t all = 0, longest = 0;
  for (const auto list : {words.arguments, words.environment}) {
    for (const char* word : list) {
      if (word == nullptr) continue;
      const std::size_t bytes = std::char_traits<char>::length(word) + 1;
      all += bytes + sizeof(char*);
      longest = std::max(longest, bytes);
    }
  }
  if (longest > longest_word)
    return "one of its arguments or variables has " + kibibytes(longest) + ", and the kernel takes at most " +
           kibibytes(longest_word) + " (give it a file instead)";
  rlimit stack{};
  ::getrlimit(RLIMIT_STACK, &stack);
  for (const ResourceLimit& limit : launch.rlimits) {
    if (limit.resource == RLIMIT_STACK) stack.rlim_cur = limit.soft;
  }
  const std::size_t allowed = std::clamp<std::size_t>(stack.rlim_cur / 4, least, most);
  return "its arguments and environment take " + kibibytes(all) + ", and the kernel takes at most " +
         kibibytes(allowed) + ", a quarter of its stack's limit";
}

std::string_view search_path(const SpawnWords& words) {
  for (const char* word : words.environment) {
    const std::string_view entry = word == nullptr ? "" : word;
    if (entry.starts_with("PATH=")) return entry.substr(5);
  }
  return default_path;
}

// Of a list that may be long.
std::string beginning_of(std::string_view list) {
  constexpr std::size_t enough = 200;
  return list.size() <= enough ? std::string(list) : std::string(list.substr(0, enough)) + "…";
}

void explain_capability(SpawnStage stage, int failed, SpawnError& error) {
  if (failed >= 0) error.detail = capability_name(failed);
  if (error.errnum != EPERM) return;
  error.cause = stage == SpawnStage::bounding ? "belfry lacks CAP_SETPCAP" : "belfry does not have it itself";
}

// Of root, whom no limit of processes concerns, the kernel does not ask.
void explain_process_limit(const Launch& launch, SpawnError& error) {
  const std::string who = launch.identity ? "user " + launch.identity->name : "belfry's user";
  const auto own = std::ranges::find(launch.rlimits, RLIMIT_NPROC, &ResourceLimit::resource);
  rlimit inherited{};
  ::getrlimit(RLIMIT_NPROC, &inherited);
  const rlim_t most = own != launch.rlimits.end() ? own->soft : inherited.rlim_cur;
  error.cause = who + " has as many processes and threads as it may (RLIMIT_NPROC";
  if (most != RLIM_INFINITY) error.cause += " is " + std::to_string(most);
  error.cause +=
      own != launch.rlimits.end() ? ": `rlimits: {nproc: …}` counts the whole user)" : ": ulimit -u)";
}

// Of the candidates, the first that has something to tell: the one that is there.
void explain_exec(const Launch& launch, const SpawnWords& words, SpawnError& error) {
  if (error.errnum == E2BIG) error.cause = why_too_big(launch, words);
  if (error.errnum == ETXTBSY) error.cause = "somebody has it open for writing (it is tried again)";
  if (error.errnum == EAGAIN) return explain_process_limit(launch, error);
  const Executor who = executor_of(launch);
  for (const std::string_view candidate : words.candidates) {
    if (!error.cause.empty()) return;
    const bool relative = !candidate.starts_with('/') && !launch.working_dir.empty();
    error.cause =
        why_not_executable((relative ? launch.working_dir + "/" : "") + std::string(candidate), who);
  }
  if (!error.cause.empty()) return;
  if (error.errnum == ENOENT && launch.sandbox != nullptr)
    error.cause = "it does not see the file, or its interpreter: `sandbox` hides it";
  else if (error.errnum == ENOENT && !launch.command().contains('/'))
    error.cause = "it is in no directory of PATH (" + beginning_of(search_path(words)) + ")";
  if (error.errnum == EACCES || error.errnum == EPERM)
    error.cause = "its mode allows it, so a security module (AppArmor, SELinux) forbids it";
  if (error.errnum == ENOEXEC) error.cause = "the kernel cannot run a file of this kind";
}

}  // namespace

SpawnError explain_failure(const Launch& launch, const SpawnWords& words, SpawnStage stage, int errnum,
                           int failed_limit) {
  SpawnError error{.stage = stage, .errnum = errnum, .detail = {}, .cause = {}};
  if (stage == SpawnStage::working_dir) explain_directory(launch, error);
  if (stage == SpawnStage::identity && launch.identity) {
    error.detail = "user " + launch.identity->name;
    if (errnum == EPERM) error.cause = why_cannot_become(*launch.identity);
  }
  if (stage == SpawnStage::bounding || stage == SpawnStage::ambient)
    explain_capability(stage, failed_limit, error);
  if (stage == SpawnStage::limits) explain_limit(launch, failed_limit, error);
  if (stage == SpawnStage::exec) explain_exec(launch, words, error);
  return error;
}

}  // namespace belfry::system
