#include "system/orphans.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

// To look at an environment or at descriptors costs some 20 µs: less than a millisecond in each span of four.
constexpr int most_looks = 32;
constexpr auto looks_last = std::chrono::milliseconds(4);

// Nobody's execve takes as long as the last step; who stays undecided costs four looks a second.
constexpr std::uint8_t ladder_steps = 8;
constexpr Duration wait_after(std::uint8_t looks) { return std::chrono::milliseconds(1) * (1 << looks); }

}  // namespace

Orphans::Orphans() {
  const std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  if (proc::is_ours()) file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  text_.resize(4096);
}

Orphans::~Orphans() {
  if (file_ >= 0) ::close(file_);
}

void Orphans::look(TimePoint now, const std::function<bool(pid_t)>& spawned) {
  now_ = now;
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

bool Orphans::may_look() {
  if (now_ - looks_last >= counted_since_) {
    counted_since_ = now_;
    looks_ = 0;
  }
  return looks_++ < most_looks;
}

TimePoint Orphans::look_again_at(const Facts& facts) const {
  const TimePoint turn = counted_since_ == TimePoint::min() ? now_ : counted_since_ + looks_last;
  if (facts.environment == Facts::Environment::undecided) return std::max(facts.look_again, now_);
  return turn;
}

// `at_once`: somebody asks about one tree and not for the proof of its end, which takes its time.
void Orphans::read_environment(pid_t orphan, Facts& facts, bool at_once) {
  using Environment = Facts::Environment;
  const bool due = facts.look_again <= now_;
  if ((!due && !at_once) || !may_look()) return;
  proc::Variable found = proc::look_up(orphan, "BELFRY_SERVICE");
  if (due) {
    facts.look_again = now_ + wait_after(facts.looks);
    facts.looks = std::min<std::uint8_t>(facts.looks + 1, ladder_steps);
  }
  switch (found.reading) {
    case proc::Reading::undecided:
      facts.environment = facts.looks < ladder_steps ? Environment::undecided : Environment::silent;
      return;
    case proc::Reading::hidden: facts.environment = Environment::silent; return;
    case proc::Reading::has: facts.marker = std::move(found.value); break;
    case proc::Reading::lacks: break;
  }
  facts.environment = Environment::read;
}

const Orphans::Facts* Orphans::learn_environment(pid_t orphan) {
  Facts* facts = known_.find(orphan);
  if (facts != nullptr && facts->environment != Facts::Environment::read)
    read_environment(orphan, *facts, false);
  return facts;
}

// They are there from the fork on, whatever execve does meanwhile.
const Orphans::Facts* Orphans::learn_pipes(pid_t orphan) {
  Facts* facts = known_.find(orphan);
  if (facts == nullptr || facts->pipes_read || !may_look()) return facts;
  facts->pipes = proc::pipes_of(orphan);
  facts->pipes_read = true;
  return facts;
}

Kinship Orphans::kinship(pid_t orphan, const TreeId& tree) {
  using Environment = Facts::Environment;
  Facts* facts = known_.find(orphan);
  if (facts == nullptr) return Kinship::no;
  if (facts->group == tree.leader || facts->session == tree.leader) return Kinship::yes;
  bool undecided = false;
  if (!tree.marker.empty()) {
    if (facts->environment != Environment::read) read_environment(orphan, *facts, true);
    if (facts->marker == tree.marker) return Kinship::yes;
    undecided = facts->environment == Environment::unread || facts->environment == Environment::undecided;
  }
  // Erased, or another supervisor's below us: the pipe still tells.
  if (tree.log_pipe != 0) {
    learn_pipes(orphan);
    if (std::ranges::find(facts->pipes, tree.log_pipe) != facts->pipes.end()) return Kinship::yes;
    undecided = undecided || !facts->pipes_read;
  }
  return undecided ? Kinship::undecided : Kinship::no;
}

bool Orphans::in_group(pid_t orphan, const TreeId& tree) {
  Facts* facts = known_.find(orphan);
  return facts != nullptr && facts->group == tree.leader && ::getpgid(orphan) == tree.leader;
}

}  // namespace belfry::system
