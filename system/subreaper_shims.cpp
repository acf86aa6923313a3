#include "system/subreaper_shims.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "channels/asio.hpp"
#include "channels/loop.hpp"
#include "system/proc.hpp"
#include "system/subreaper_shim.hpp"

namespace belfry::system {

// Shared with Asio's pending handler, so that either may go first.
struct SubreaperShims::IsolatedService final : Callback, std::enable_shared_from_this<IsolatedService> {
  IsolatedService(SubreaperShims& k, pid_t p, SpawnedShim made, ExitWatcher& told)
      : shims(&k), program(p), shim(made.pid), socket(k.loop_.io(), made.socket), exit_watcher(&told) {}

  void arm() {
    socket.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](const error_code& error) {
                        if (error || self->shims == nullptr) return;
                        self->shims->loop_.wake_from_io(*self);
                      });
  }

  // The report, or that the tree's end, known already, is to be told now.
  void run() noexcept override {
    if (shims == nullptr) return;
    const auto self = shared_from_this();
    read_report();
    if (gone && shims != nullptr) shims->tell_gone(*this);
  }

  void read_report() {
    ShimReport report;
    if (exited || ::recv(socket.native_handle(), &report, sizeof report, MSG_DONTWAIT) != sizeof report)
      return;
    if (!exited && shims->usage_listener != nullptr) shims->usage_listener->on_usage(program, report.usage);
    shims->tell_exit(*this, exit_status(report.code, report.status));
  }

  void close() {
    shims = nullptr;
    unlink();
    error_code ignored;
    socket.close(ignored);
  }

  SubreaperShims* shims;
  pid_t program;
  pid_t shim;
  asio::posix::basic_stream_descriptor<Executor> socket;
  ExitWatcher* exit_watcher;
  TreeWatcher* tree_watcher = nullptr;
  TreeId tree;
  bool exited = false;  // the service's process; it is a zombie from then on until the shim is gone
  bool gone = false;
};

SubreaperShims::SubreaperShims(Loop& loop, Syscalls& syscalls, Reaper& reaper, Heir& heir)
    : loop_(loop), syscalls_(syscalls), reaper_(reaper), heir_(heir) {}

SubreaperShims::~SubreaperShims() {
  services_.each([](pid_t, std::shared_ptr<IsolatedService>& entry) { entry->close(); });
}

void SubreaperShims::add(pid_t program, SpawnedShim made, ExitWatcher& watcher) {
  auto entry = std::make_shared<IsolatedService>(*this, program, made, watcher);
  entry->arm();
  if (auto* old = services_.find(program)) (*old)->close();  // gone, and nobody ever asked about its end
  programs_[made.pid] = program;
  services_[program] = std::move(entry);
  reaper_.add(made.pid, static_cast<ExitWatcher&>(*this));
}

void SubreaperShims::disown(pid_t program) {
  if (auto* entry = services_.find(program)) (*entry)->exit_watcher = nullptr;
}

void SubreaperShims::tell_exit(IsolatedService& entry, ExitStatus status) {
  if (std::exchange(entry.exited, true)) return;
  if (entry.exit_watcher != nullptr) entry.exit_watcher->on_exit(entry.program, status);
}

// The shim was reaped: it has exited because nobody was left, or somebody has killed it.
void SubreaperShims::on_exit(pid_t shim, ExitStatus status) {
  const pid_t* found = programs_.find(shim);
  if (found == nullptr) return;
  const pid_t program = *found;
  programs_.erase(shim);
  const std::shared_ptr<IsolatedService> entry = *services_.find(program);
  entry->read_report();  // it may have come in the same turn
  if (!status.success()) {
    services_.erase(program);
    TreeWatcher* watcher = entry->tree_watcher;
    tell_exit(*entry, {.signaled = true, .value = SIGKILL});  // it dies with its shim
    entry->close();
    if (watcher != nullptr) heir_.inherit(entry->tree, *watcher);
    return;
  }
  entry->gone = true;
  tell_gone(*entry);
}

void SubreaperShims::tell_gone(IsolatedService& entry) {
  if (entry.tree_watcher == nullptr) return;
  const pid_t program = entry.program;
  TreeWatcher* watcher = entry.tree_watcher;
  entry.close();
  services_.erase(program);
  if (ledger_ != nullptr) ledger_->remove(program);
  watcher->on_tree_empty(program);
}

std::vector<pid_t> SubreaperShims::everybody(pid_t program) {
  const std::shared_ptr<IsolatedService>& entry = *services_.find(program);
  if (entry->gone) return {};
  std::vector<pid_t> all = proc::descendants_of({entry->shim});
  std::erase(all, entry->shim);
  return all;
}

bool SubreaperShims::signal(const TreeId& tree, int signo, Scope scope) {
  const std::shared_ptr<IsolatedService> entry = *services_.find(tree.leader);
  if (entry->gone) return false;
  syscalls_.kill(entry->shim, SIGCONT);  // whoever stops everything that belfry runs stops it as well
  switch (scope) {
    case Scope::leader: return !entry->exited && send_signal(syscalls_, tree.leader, signo);
    case Scope::group: return send_signal(syscalls_, -tree.leader, signo);
    case Scope::tree: break;
  }
  if (signo == SIGKILL) return ::send(entry->socket.native_handle(), &kill_everybody, 1, MSG_NOSIGNAL) == 1;
  bool sent = false;
  for (const pid_t pid : everybody(tree.leader)) sent = send_signal(syscalls_, pid, signo) || sent;
  return sent;
}

bool SubreaperShims::alive(const TreeId& tree) { return !(*services_.find(tree.leader))->gone; }

void SubreaperShims::watch(const TreeId& tree, TreeWatcher& watcher) {
  const std::shared_ptr<IsolatedService>& entry = *services_.find(tree.leader);
  entry->tree = tree;
  entry->tree_watcher = &watcher;
  reaper_.expect(entry->shim);
  if (entry->gone && !entry->linked()) loop_.wake(*entry);
}

void SubreaperShims::unwatch(TreeWatcher& watcher) {
  services_.each([&](pid_t, std::shared_ptr<IsolatedService>& entry) {
    if (entry->tree_watcher == &watcher) entry->tree_watcher = nullptr;
  });
}

std::vector<Survivor> SubreaperShims::survivors(const TreeId& tree) {
  const std::shared_ptr<IsolatedService>& entry = *services_.find(tree.leader);
  std::vector<Survivor> left =
      entry->gone ? std::vector<Survivor>() : proc::some_below(proc::children_of(entry->shim));
  for (Survivor& survivor : left) {
    if (syscalls_.kill(survivor.pid, 0) == -EPERM) survivor.refused = EPERM;
  }
  return left;
}

}  // namespace belfry::system
