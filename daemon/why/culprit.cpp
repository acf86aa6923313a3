#include "daemon/why/culprit.hpp"

#include <algorithm>

namespace belfry::daemon {

namespace {

enum Mark : unsigned char { unseen, on_the_way, done };

// How far from coming right by itself.
int rank_of(const ServiceFacts& facts) {
  switch (facts.state) {
    case State::failed: return 0;
    case State::inactive:
    case State::completed: return 1;
    case State::backoff: return 2;
    case State::stopping: return 3;
    case State::unready: return 4;
    case State::starting: return facts.probe_error.empty() ? 6 : 5;
    case State::ready: return 7;
    case State::waiting:
    case State::blocked: return 8;
  }
  return 8;
}

}  // namespace

// Depth first, each service once and without recursion: a chain may have ten thousand links.
Culprits::Culprits(const StackFacts& stack)
    : stack_(stack), next_(stack.services.size(), nullptr), rank_(stack.services.size(), 8) {
  struct Frame {
    std::size_t service;
    std::size_t wait;
  };
  std::vector<Mark> marks(stack.services.size(), unseen);
  std::vector<Frame> path;
  for (std::size_t start = 0; start < stack.services.size(); ++start) {
    if (marks[start] != unseen) continue;
    marks[start] = on_the_way;
    path.push_back({start, 0});
    while (!path.empty()) {
      Frame& top = path.back();
      const auto& waits = stack.services[top.service].waits;
      if (top.wait == waits.size()) {
        settle(top.service);
        marks[top.service] = done;
        path.pop_back();
        continue;
      }
      const std::size_t on = waits[top.wait++].on;
      if (marks[on] != unseen) continue;
      marks[on] = on_the_way;
      path.push_back({on, 0});
    }
  }
}

// A wait that leads back to where it came from has not been settled yet, and is worse than nothing else.
void Culprits::settle(std::size_t service) {
  const ServiceFacts& facts = stack_.services[service];
  rank_[service] = rank_of(facts);
  if (facts.waits.empty()) return;
  const WaitFacts* worst = nullptr;
  const auto key = [this](const WaitFacts& wait) {
    return std::pair(rank_[wait.on] + (wait.required ? 0 : 1), -stack_.services[wait.on].for_long.count());
  };
  for (const WaitFacts& wait : facts.waits) {
    if (wait.on == service) continue;
    if (worst == nullptr || key(wait) < key(*worst)) worst = &wait;
  }
  if (worst == nullptr) return;
  next_[service] = worst;
  rank_[service] = rank_[worst->on];
}

std::vector<std::size_t> Culprits::way_from(std::size_t service) const {
  std::vector<std::size_t> way = {service};
  while (next_[way.back()] != nullptr && way.size() <= stack_.services.size())
    way.push_back(next_[way.back()]->on);
  return way;
}

}  // namespace belfry::daemon
