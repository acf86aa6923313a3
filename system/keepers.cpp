#include "system/keepers.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "channels/asio.hpp"
#include "channels/loop.hpp"
#include "system/keeper.hpp"
#include "system/proc.hpp"

namespace belfry::system {

// Shared with Asio's pending handler, so that either may go first.
struct Keepers::Entry final : detail::Callback, std::enable_shared_from_this<Entry> {
  Entry(Keepers& k, pid_t p, Kept kept, ExitWatcher& told)
      : keepers(&k),
        program(p),
        keeper(kept.keeper),
        socket(k.loop_.io(), kept.socket),
        exit_watcher(&told) {}

  void arm() {
    socket.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](const error_code& error) {
                        if (error || self->keepers == nullptr) return;
                        self->keepers->loop_.wake_from_io(*self);
                      });
  }

  // The report, or that the tree's end, known already, is to be told now.
  void run() noexcept override {
    if (keepers == nullptr) return;
    const auto self = shared_from_this();
    read_report();
    if (gone && keepers != nullptr) keepers->tell_gone(*this);
  }

  void read_report() {
    KeeperReport report;
    if (exited || ::recv(socket.native_handle(), &report, sizeof report, MSG_DONTWAIT) != sizeof report)
      return;
    keepers->tell_exit(*this, {report.code != CLD_EXITED, report.status, report.code == CLD_DUMPED});
  }

  void close() {
    keepers = nullptr;
    unlink();
    error_code ignored;
    socket.close(ignored);
  }

  Keepers* keepers;
  pid_t program;
  pid_t keeper;
  asio::posix::basic_stream_descriptor<Executor> socket;
  ExitWatcher* exit_watcher;
  TreeWatcher* tree_watcher = nullptr;
  TreeId tree;
  bool exited = false;  // the service's process; it is a zombie from then on until the keeper is gone
  bool gone = false;
};

Keepers::Keepers(Loop& loop, Syscalls& syscalls, Reaper& reaper, Heir& heir)
    : loop_(loop), syscalls_(syscalls), reaper_(reaper), heir_(heir) {}

Keepers::~Keepers() {
  entries_.each([](pid_t, std::shared_ptr<Entry>& entry) { entry->close(); });
}

void Keepers::add(pid_t program, Kept kept, ExitWatcher& watcher) {
  auto entry = std::make_shared<Entry>(*this, program, kept, watcher);
  entry->arm();
  if (auto* old = entries_.find(program)) (*old)->close();  // gone, and nobody ever asked about its end
  programs_[kept.keeper] = program;
  entries_[program] = std::move(entry);
  reaper_.add(kept.keeper, static_cast<ExitWatcher&>(*this));
}

void Keepers::disown(pid_t program) {
  if (auto* entry = entries_.find(program)) (*entry)->exit_watcher = nullptr;
}

void Keepers::tell_exit(Entry& entry, ExitStatus status) {
  if (std::exchange(entry.exited, true)) return;
  if (entry.exit_watcher != nullptr) entry.exit_watcher->on_exit(entry.program, status);
}

// The keeper is reaped: by its own will when nobody was left, or killed by somebody.
void Keepers::on_exit(pid_t keeper, ExitStatus status) {
  const pid_t* found = programs_.find(keeper);
  if (found == nullptr) return;
  const pid_t program = *found;
  programs_.erase(keeper);
  const std::shared_ptr<Entry> entry = *entries_.find(program);
  entry->read_report();  // it may have come in the same turn
  if (!status.success()) {
    entries_.erase(program);
    TreeWatcher* watcher = entry->tree_watcher;
    tell_exit(*entry, {.signaled = true, .value = SIGKILL});  // it dies with its keeper
    entry->close();
    if (watcher != nullptr) heir_.inherit(entry->tree, *watcher);
    return;
  }
  entry->gone = true;
  tell_gone(*entry);
}

void Keepers::tell_gone(Entry& entry) {
  if (entry.tree_watcher == nullptr) return;
  const pid_t program = entry.program;
  TreeWatcher* watcher = entry.tree_watcher;
  entry.close();
  entries_.erase(program);
  watcher->on_tree_empty(program);
}

std::vector<pid_t> Keepers::everybody(pid_t program) {
  const std::shared_ptr<Entry>& entry = *entries_.find(program);
  if (entry->gone) return {};
  std::vector<pid_t> all = proc::descendants_of({entry->keeper});
  std::erase(all, entry->keeper);
  return all;
}

bool Keepers::signal(const TreeId& tree, int signo, Scope scope) {
  const std::shared_ptr<Entry> entry = *entries_.find(tree.leader);
  if (entry->gone) return false;
  syscalls_.kill(entry->keeper, SIGCONT);  // whoever stops everything that belfry runs stops it as well
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

bool Keepers::alive(const TreeId& tree) { return !(*entries_.find(tree.leader))->gone; }

void Keepers::watch(const TreeId& tree, TreeWatcher& watcher) {
  const std::shared_ptr<Entry>& entry = *entries_.find(tree.leader);
  entry->tree = tree;
  entry->tree_watcher = &watcher;
  reaper_.expect(entry->keeper);
  if (entry->gone && !entry->linked()) loop_.wake(*entry);
}

void Keepers::unwatch(TreeWatcher& watcher) {
  entries_.each([&](pid_t, std::shared_ptr<Entry>& entry) {
    if (entry->tree_watcher == &watcher) entry->tree_watcher = nullptr;
  });
}

std::vector<Survivor> Keepers::survivors(const TreeId& tree) {
  std::vector<Survivor> left = proc::describe_living(everybody(tree.leader));
  for (Survivor& survivor : left) {
    if (syscalls_.kill(survivor.pid, 0) == -EPERM) survivor.refused = EPERM;
  }
  return left;
}

}  // namespace belfry::system
