#include "system/cgroup.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "system/cgroup_files.hpp"
#include "system/cgroup_place.hpp"
#include "system/proc.hpp"

namespace belfry::system {

namespace {

// cgroup-v2.rst, cpu.max: "$MAX $PERIOD", in microseconds.
constexpr std::uint64_t cpu_period_us = 100'000;

std::unexpected<Error> failure(int errnum, const std::string& what) {
  return std::unexpected(Error::from_errno(errnum, what));
}

// systemd manages every unit's cgroup itself, unless it marked it as given away (Delegate=yes).
bool is_systemds_own(const std::string& directory) {
  const bool unit =
      directory.ends_with(".service") || directory.ends_with(".scope") || directory.ends_with(".slice");
  if (!unit) return false;
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (::getxattr(directory.c_str(), name, &value, 1) == 1 && value == '1') return false;
  }
  return true;
}

// What a belfry that was killed left behind. Whoever still runs in there keeps it.
void remove_stale(const std::string& own, std::string_view prefix) {
  for (const std::string& name : cgroup::names_below(own)) {
    if (!name.starts_with(prefix)) continue;
    pid_t pid = 0;
    const char* digits = name.data() + prefix.size();
    std::from_chars(digits, name.data() + name.size(), pid);
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH)
      cgroup::remove(std::string(own).append("/").append(name));
  }
}

std::uint64_t peak_in(const std::string& directory) {
  const std::string text = proc::read_file(directory + "/memory.peak");
  std::uint64_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

std::vector<std::string> controllers_of(const CgroupLimits& needed) {
  std::vector<std::string> names;
  if (needed.memory_max) names.emplace_back("memory");
  if (needed.cpu_max) names.emplace_back("cpu");
  if (needed.pids_max) names.emplace_back("pids");
  return names;
}

bool has_controller(const std::string& directory, const std::string& name) {
  const std::string available = " " + proc::read_file(directory + "/cgroup.controllers");
  return available.contains(" " + name + " ") || available.contains(" " + name + "\n");
}

std::string no_controller(const std::string& directory, const std::string& name) {
  return "the " + name + " controller is not available in the cgroup " + directory;
}

std::string systemds(const std::string& directory) {
  return "cannot use the cgroup " + directory + ": it is systemd's (say Delegate=yes)";
}

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return failure(errno, "cannot make the cgroup " + path);
}

}  // namespace

std::string cgroup::why_no_limits(const std::string& own, const CgroupLimits& needed) {
  if (is_systemds_own(own)) return systemds(own);
  if (::access(own.c_str(), W_OK) != 0) return "belfry may make no cgroup in " + own;
  for (const std::string& controller : controllers_of(needed)) {
    if (!has_controller(own, controller)) return no_controller(own, controller);
  }
  return {};
}

std::string cgroup::why_no_limits(const CgroupLimits& needed) {
  const auto own = own_directory();
  return own ? why_no_limits(*own, needed) : "there is no cgroup v2 for belfry here";
}

CgroupLeaf::CgroupLeaf(std::string directory) : directory_(std::move(directory)) { take_oom_kills(); }

CgroupLeaf::~CgroupLeaf() {
  close();
  cgroup::remove(directory_);
}

Result<int> CgroupLeaf::descriptor() {
  if (descriptor_ < 0) descriptor_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) return failure(errno, "cannot open the cgroup " + directory_);
  return descriptor_;
}

void CgroupLeaf::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Result<void> CgroupLeaf::limit(const CgroupLimits& limits) {
  const auto set = [this](const char* file, const std::string& text) -> Result<void> {
    const int error = cgroup::write_control(directory_, file, text);
    if (error == 0) return {};
    return failure(-error, std::string("cannot set ") + file + " to " + text + " in " + directory_);
  };
  if (limits.memory_max) {
    if (auto ok = set("memory.max", std::to_string(*limits.memory_max)); !ok) return ok;
    // A service that lost one of its processes to it would be half a service.
    cgroup::write_control(directory_, "memory.oom.group", "1");
  }
  if (limits.pids_max) {
    if (auto ok = set("pids.max", std::to_string(*limits.pids_max)); !ok) return ok;
  }
  if (!limits.cpu_max) return {};
  const auto quota = static_cast<std::uint64_t>(std::llround(*limits.cpu_max * cpu_period_us));
  return set("cpu.max",
             std::to_string(std::max<std::uint64_t>(quota, 1000)) + " " + std::to_string(cpu_period_us));
}

std::uint64_t CgroupLeaf::take_oom_kills() {
  const std::uint64_t before = oom_kills_;
  oom_kills_ = cgroup::counter_in(directory_, "memory.events", "oom_kill");
  return oom_kills_ - std::min(before, oom_kills_);
}

// cgroup-v2.rst: cpu.stat is there without any controller.
Usage CgroupLeaf::take_usage() {
  const auto time = [this](const char* name) {
    return std::chrono::microseconds(cgroup::counter_in(directory_, "cpu.stat", name));
  };
  const Usage before = std::exchange(
      used_, {.user = time("user_usec"), .system = time("system_usec"), .peak_bytes = peak_in(directory_)});
  return {.user = used_.user - before.user,
          .system = used_.system - before.system,
          .peak_bytes = used_.peak_bytes > before.peak_bytes ? used_.peak_bytes : 0};
}

bool CgroupLeaf::is_populated() const { return cgroup::is_populated(directory_); }

CgroupTree::CgroupTree(std::string own, std::string directory, pid_t companion)
    : own_(std::move(own)), directory_(std::move(directory)), companion_(companion) {}

Result<std::unique_ptr<CgroupTree>> CgroupTree::open(std::string own, std::string_view stack_name,
                                                     pid_t companion) {
  if (is_systemds_own(own)) return std::unexpected(Error(Error::Kind::refused, systemds(own)));
  const std::string prefix = "belfry-" + std::string(stack_name) + "-";
  remove_stale(own, prefix);
  std::string directory = own + "/" + prefix + std::to_string(::getpid());
  if (auto ok = make_directory(directory); !ok) return std::unexpected(ok.error());
  return std::unique_ptr<CgroupTree>(new CgroupTree(std::move(own), std::move(directory), companion));
}

CgroupTree::~CgroupTree() {
  cgroup::remove(directory_);
  // A cgroup with controllers for its children takes no processes: first those, then belfry.
  std::string_view rest = enabled_;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(' '));
    cgroup::write_control(own_, "cgroup.subtree_control", one);
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
  }
  if (aside_.empty()) return;
  cgroup::write_control(own_, "cgroup.procs", "0");
  take_companion_to(own_);
  cgroup::remove(aside_);
}

Result<void> CgroupTree::enable(const CgroupLimits& needed) {
  for (const std::string& controller : controllers_of(needed)) {
    if (auto ok = enable_one(controller); !ok) return ok;
  }
  return {};
}

Result<void> CgroupTree::enable_one(std::string_view controller) {
  const std::string word(controller);
  if (!has_controller(own_, word))
    return std::unexpected(Error(Error::Kind::refused, no_controller(own_, word)));
  const std::string here = " " + proc::read_file(own_ + "/cgroup.subtree_control");
  if (!here.contains(" " + word)) {
    int error = cgroup::write_control(own_, "cgroup.subtree_control", "+" + word);
    if (error == -EBUSY && aside_.empty()) {
      if (auto ok = move_aside(); !ok) return ok;
      error = cgroup::write_control(own_, "cgroup.subtree_control", "+" + word);
    }
    if (error != 0) return failure(-error, "cannot enable the " + word + " controller in the cgroup " + own_);
    enabled_ += (enabled_.empty() ? "-" : " -") + word;
  }
  const int error = cgroup::write_control(directory_, "cgroup.subtree_control", "+" + word);
  if (error != 0)
    return failure(-error, "cannot enable the " + word + " controller in the cgroup " + directory_);
  return {};
}

void CgroupTree::take_companion_to(const std::string& directory) const {
  if (companion_ != 0) cgroup::write_control(directory, "cgroup.procs", std::to_string(companion_));
}

Result<void> CgroupTree::move_aside() {
  std::vector<pid_t> here;
  proc::parse_pids(proc::read_file(own_ + "/cgroup.procs"), here);
  const auto other =
      std::ranges::find_if(here, [&](pid_t pid) { return pid != ::getpid() && pid != companion_; });
  if (other != here.end()) {
    const auto who = proc::describe(*other);
    return std::unexpected(
        Error(Error::Kind::refused,
              "other processes are in belfry's cgroup " + own_ + ": " + std::to_string(*other) + " " +
                  (who ? who->name : "?") +
                  " (start belfry in one of its own: a unit or systemd-run --scope with Delegate=yes)"));
  }
  std::string aside = directory_ + ".daemon";
  if (auto ok = make_directory(aside); !ok) return ok;
  if (const int error = cgroup::write_control(aside, "cgroup.procs", "0"); error != 0) {
    cgroup::remove(aside);
    return failure(-error, "cannot move belfry into the cgroup " + aside);
  }
  take_companion_to(aside);
  aside_ = std::move(aside);
  return {};
}

Result<std::unique_ptr<CgroupLeaf>> CgroupTree::make_leaf(std::string_view service) {
  std::string directory = directory_ + "/service-" + std::string(service);
  const bool was_there = ::access(directory.c_str(), F_OK) == 0;
  if (auto ok = make_directory(directory); !ok) return std::unexpected(ok.error());
  auto leaf = std::make_unique<CgroupLeaf>(std::move(directory));
  if (was_there) (void)leaf->take_usage();  // of a run before, of which somebody was still in it
  return leaf;
}

}  // namespace belfry::system
