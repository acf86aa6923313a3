#include "system/sandbox.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "system/capabilities.hpp"
#include "system/sandbox_child.hpp"

// As in syscalls.cpp.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __clone(int (*entry)(void*), void* stack, int flags, void* argument, ...);

namespace belfry::system {

namespace {

using detail::SandboxStep;
using Kind = SandboxStep::Kind;

constexpr std::size_t stack_size = std::size_t{32} * 1024;
constexpr unsigned plain_memory = MS_NOSUID | MS_NODEV;
enum : std::uint8_t { mounts_slot, network_slot, root_slot, first_tree_slot };

bool is_directory(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Without symbolic links, so that places can be compared; what does not exist stays as it is.
std::string real_path(const std::string& path) {
  char* const resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string out(resolved);
  std::free(resolved);
  return out;
}

bool is_at_or_below(std::string_view path, std::string_view place) {
  return path == place || (path.starts_with(place) && path[place.size()] == '/');
}

// Directories that are there, by their real paths, each once.
std::vector<std::string> existing(std::initializer_list<const char*> paths) {
  std::vector<std::string> found;
  for (const char* path : paths) {
    if (!is_directory(path)) continue;
    if (auto real = real_path(path); std::ranges::find(found, real) == found.end())
      found.push_back(std::move(real));
  }
  return found;
}

// From what is asked for to the steps of the child.
class SandboxSteps {
 public:
  explicit SandboxSteps(const SandboxPlan& plan) : plan_(plan) {
    const unsigned namespaces =
        (plan.needs_mounts() ? CLONE_NEWNS : 0U) | (plan.private_network ? CLONE_NEWNET : 0U);
    step(Kind::unshare, "").flags = namespaces;
    if (plan.private_network) {
      step(Kind::raise_lo, "lo");
      open("/proc/self/ns/net", network_slot, O_RDONLY | O_CLOEXEC);
    }
    if (!plan.needs_mounts()) return;
    step(Kind::make_slave, "/");
    find_hidden();
    take_trees();
    if (plan.read_only_root) step(Kind::read_only, "/").flags = AT_RECURSIVE;
    hide();
    put_trees();
    credentials();
    open("/proc/self/ns/mnt", mounts_slot, O_RDONLY | O_CLOEXEC);
    open("/", root_slot, O_PATH | O_DIRECTORY | O_CLOEXEC);
  }

  [[nodiscard]] std::vector<SandboxStep>& steps() { return steps_; }
  [[nodiscard]] std::size_t slots() const { return first_tree_slot + trees_.size(); }

 private:
  SandboxStep& step(Kind kind, std::string path) {
    texts_.push_back(std::move(path));
    steps_.push_back({kind, 0, 0, 0, 0, texts_.back().data(), nullptr, 0});
    return steps_.back();
  }

  void open(const char* path, std::uint8_t slot, int flags) {
    SandboxStep& made = step(Kind::open, path);
    made.slot = slot;
    made.flags = static_cast<unsigned>(flags);
  }

  void find_hidden() {
    if (plan_.private_tmp) hidden_ = existing({"/tmp", "/var/tmp"});
    homes_from_ = hidden_.size();
    if (!plan_.protect_home) return;
    for (std::string& home : existing({"/home", "/root", "/run/user"})) hidden_.push_back(std::move(home));
  }

  [[nodiscard]] bool is_hidden(const std::string& path) const {
    return std::ranges::any_of(hidden_, [&](const auto& place) { return is_at_or_below(path, place); });
  }

  // As they are now: what is mounted below comes along, and keeps its own flags. What is below one that comes
  // later is put on top of it.
  void take_trees() {
    if (plan_.read_only_root) trees_ = existing({"/dev", "/proc", "/sys"});
    for (const std::string& path : plan_.kept) {
      std::string real = real_path(path);
      if (plan_.read_only_root || is_hidden(real)) trees_.push_back(std::move(real));
    }
    std::ranges::sort(trees_);
    const auto again = std::ranges::unique(trees_);
    trees_.erase(again.begin(), again.end());
    std::uint8_t slot = first_tree_slot;
    for (const std::string& path : trees_) step(Kind::take_tree, path).slot = slot++;
  }

  void hide() {
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      SandboxStep& mount = step(Kind::mount_tmpfs, hidden_[i]);
      mount.flags = plain_memory;
      mount.text = i < homes_from_ ? "mode=1777,size=10%,nr_inodes=1m" : "mode=0755,size=1m,nr_inodes=1k";
    }
  }

  void put_trees() {
    std::uint8_t slot = first_tree_slot;
    for (const std::string& path : trees_) {
      if (is_hidden(path) && std::ranges::find(hidden_, path) == hidden_.end())
        step(is_directory(path) ? Kind::make_path : Kind::make_file, path);
      step(Kind::put_tree, path).slot = slot++;
    }
    for (std::size_t i = homes_from_; i < hidden_.size(); ++i) step(Kind::read_only, hidden_[i]);
  }

  void credentials() {
    if (plan_.credentials_directory.empty()) return;
    const std::string& place = plan_.credentials_directory;
    SandboxStep& mount = step(Kind::mount_ramfs, place);
    mount.flags = plain_memory | MS_NOEXEC;
    mount.text = "mode=0700";
    for (const auto& [name, value] : plan_.credentials) {
      SandboxStep& file = step(Kind::write_file, place + "/" + name);
      file.text = value->data();
      file.size = value->size();
      file.owner = plan_.owner;
    }
    SandboxStep& given = step(Kind::give, place);
    given.owner = plan_.owner;
    given.mode = 0500;
    step(Kind::read_only, place);
  }

  const SandboxPlan& plan_;
  std::vector<SandboxStep> steps_;
  std::deque<std::string> texts_;  // what the steps point at
  std::vector<std::string> hidden_, trees_;
  std::size_t homes_from_ = 0;  // those of `hidden_` before it are /tmp and the like
};

std::string words_for(const SandboxStep& step) {
  const std::string path = step.path;
  switch (step.kind) {
    case Kind::unshare:
      return (step.flags & CLONE_NEWNET) == 0  ? "a mount namespace"
             : (step.flags & CLONE_NEWNS) == 0 ? "a network namespace"
                                               : "a mount and a network namespace";
    case Kind::make_slave: return "mounts apart from belfry's";
    case Kind::raise_lo: return "the loopback interface up";
    case Kind::take_tree:
    case Kind::put_tree: return "keep " + path;
    case Kind::read_only: return "read-only " + path;
    case Kind::mount_tmpfs:
    case Kind::mount_ramfs: return "mount " + path;
    case Kind::make_path:
    case Kind::make_file: return "make " + path;
    case Kind::write_file: return "write " + path;
    case Kind::give: return "give away " + path;
    case Kind::open: return "open " + path;
  }
  return path;
}

// 0, or the errno of a clone that failed.
int run(detail::SandboxProgram& program) {
  void* stack =
      ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return errno;
  // No SIGCHLD: the reaper of belfry's children does not hear of it.
  const pid_t pid = ::__clone(detail::sandbox_main, static_cast<char*>(stack) + stack_size,
                              CLONE_VM | CLONE_VFORK | CLONE_FILES, &program);
  const int error = pid < 0 ? errno : 0;
  while (pid > 0 && ::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  ::munmap(stack, stack_size);
  return error;
}

}  // namespace

std::string SandboxError::text() const {
  std::string out = step + ": " + std::strerror(errnum);
  if (errnum == EPERM && !has_capability(CAP_SYS_ADMIN)) out += " (belfry lacks CAP_SYS_ADMIN)";
  if (errnum == ENOSYS) out += " (it takes Linux 5.12)";
  return out;
}

bool SandboxError::is_refusal() const {
  return errnum != ENOMEM && errnum != EMFILE && errnum != ENFILE && errnum != EAGAIN && errnum != ENOSPC;
}

std::expected<std::unique_ptr<Sandbox>, SandboxError> Sandbox::make(const SandboxPlan& plan) {
  SandboxSteps made(plan);
  std::vector<int> slots(made.slots(), -1);
  detail::SandboxProgram program{made.steps().data(), made.steps().size(), slots.data(), 0, 0};
  const int error = run(program);
  for (std::size_t i = first_tree_slot; i < slots.size(); ++i) OwnedFd{slots[i]}.close();
  OwnedFd mounts(slots[mounts_slot]), network(slots[network_slot]), root(slots[root_slot]);
  if (error != 0) return std::unexpected(SandboxError{"a process to make it", error});
  if (program.failed < program.step_count)
    return std::unexpected(SandboxError{words_for(made.steps()[program.failed]), program.errnum});
  return std::unique_ptr<Sandbox>(new Sandbox(std::move(mounts), std::move(network), std::move(root)));
}

}  // namespace belfry::system
