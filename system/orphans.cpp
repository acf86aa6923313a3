#include "system/orphans.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

// While execve builds the new image, for some microseconds, neither arguments nor environment can be
// read; whoever is looked at just then would seem to be nobody's. Arguments are never empty otherwise,
// except of a zombie.
void wait_for_exec(pid_t pid) {
  for (int tries = 0; tries < 1000; ++tries) {
    if (!proc::read_file("/proc/" + std::to_string(pid) + "/cmdline").empty()) return;
    auto process = proc::describe(pid);
    if (!process || process->state == 'Z') return;
    ::sched_yield();
  }
}

}  // namespace

Orphans::Orphans() {
  std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  text_.resize(4096);
}

Orphans::~Orphans() {
  if (file_ >= 0) ::close(file_);
}

void Orphans::look(const std::function<bool(pid_t)>& spawned) {
  list_.clear();
  std::size_t length = 0;
  for (;;) {
    ssize_t got = ::pread(file_, text_.data() + length, text_.size() - length, static_cast<off_t>(length));
    if (got <= 0) break;
    length += static_cast<std::size_t>(got);
    if (text_.size() - length < 4096) text_.resize(text_.size() * 2);
  }
  if (length == 0) return;
  proc::parse_pids(std::string_view(text_.data(), length), list_);
  std::erase_if(list_, spawned);
  for (pid_t pid : list_) {
    if (known_.find(pid) != nullptr) continue;
    Facts& facts = known_[pid];
    facts.group = ::getpgid(pid);
    facts.session = ::getsid(pid);
  }
}

bool Orphans::belongs(pid_t orphan, const TreeId& tree) {
  Facts* facts = known_.find(orphan);
  if (facts == nullptr) return false;
  if (facts->group == tree.leader || facts->session == tree.leader) return true;
  if (!tree.marker.empty() && !facts->environment_read) {
    wait_for_exec(orphan);
    facts->marker = proc::variable_of(orphan, "BELFRY_SERVICE");
    facts->environment_read = true;
  }
  if (facts->marker && *facts->marker == tree.marker) return true;
  // Erased, or another supervisor's below us: the pipe still tells.
  if (tree.log_pipe == 0) return false;
  if (!facts->pipes_read) {
    facts->pipes = proc::pipes_of(orphan);
    facts->pipes_read = true;
  }
  return std::ranges::find(facts->pipes, tree.log_pipe) != facts->pipes.end();
}

bool Orphans::in_group(pid_t orphan, const TreeId& tree) {
  Facts* facts = known_.find(orphan);
  return facts != nullptr && facts->group == tree.leader && ::getpgid(orphan) == tree.leader;
}

}  // namespace belfry::system
