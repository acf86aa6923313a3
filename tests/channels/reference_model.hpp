// What channels, select, the semaphore and contexts should do, in the plainest data structures: no
// links, no wake-ups, everything searched for. The random test holds the library against it.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace belfry::test {

enum class Kind { send, receive, bell };
struct CaseSpec {
  Kind kind;
  std::size_t target;
  long value = 0;
};
enum class OpKind { none, plain, select, acquire };
struct Op {
  OpKind kind = OpKind::none;
  std::size_t ctx = 0;
  std::vector<CaseSpec> cases;  // exactly one when plain
  std::size_t weight = 0;       // of an acquire
};

enum class Code { ok, closed, cancelled };
struct Done {
  std::size_t actor = 0;
  Code code = Code::ok;
  std::size_t which = 0;
  long value = 0;
  friend bool operator==(const Done&, const Done&) = default;
};
inline std::string text(const Done& d) {
  const char* codes[] = {"ok", "closed", "cancelled"};
  return "actor " + std::to_string(d.actor) + " " + codes[static_cast<int>(d.code)] + " case " +
         std::to_string(d.which) + " value " + std::to_string(d.value);
}

class ReferenceModel {
 public:
  ReferenceModel(std::vector<std::size_t> capacities, std::size_t bells, std::size_t contexts,
                 std::size_t units, std::size_t actors)
      : channels_(capacities.size()), rung_(bells), cancelled_(contexts), free_(units), actors_(actors) {
    for (std::size_t i = 0; i < capacities.size(); ++i) channels_[i].capacity = capacities[i];
  }

  // --- what the driver does by itself, with what it should see --------------------------------
  bool try_send(std::size_t channel, long value) {
    return !channels_[channel].closed && give(channel, value, none);
  }
  std::optional<long> try_receive(std::size_t channel) { return get(channel, none); }
  void close(std::size_t channel) {
    channels_[channel].closed = true;
    for (Party& p : channels_[channel].receivers) woken(p.actor);
    for (Party& p : channels_[channel].senders) woken(p.actor);
    channels_[channel].receivers.clear();
    channels_[channel].senders.clear();
  }
  void reopen(std::size_t channel) {
    channels_[channel].closed = false;
    channels_[channel].buffer.clear();
  }
  void ring(std::size_t bell) {
    rung_[bell] = true;
    for (Actor& a : actors_) {
      for (const CaseSpec& c : a.op.cases) {
        if (a.waiting && c.kind == Kind::bell && c.target == bell) a.woken = true;
      }
    }
  }
  void silence(std::size_t bell) { rung_[bell] = false; }
  void cancel(std::size_t ctx) {
    cancelled_[ctx] = true;
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      Actor& a = actors_[i];
      if (!a.waiting || a.op.ctx != ctx || a.expected) continue;
      a.woken = a.cancelled = true;
      if (a.op.kind != OpKind::select) leave(i);  // a select can be handed something until it resumes
    }
  }
  void renew(std::size_t ctx) { cancelled_[ctx] = false; }
  bool cancelled(std::size_t ctx) const { return cancelled_[ctx]; }
  bool closed(std::size_t channel) const { return channels_[channel].closed; }
  bool rung(std::size_t bell) const { return rung_[bell]; }
  void release(std::size_t weight) {
    free_ += weight;
    serve();
  }
  std::size_t free_units() const { return free_; }
  std::size_t buffered(std::size_t channel) const { return channels_[channel].buffer.size(); }
  bool idle(std::size_t actor) const { return !actors_[actor].waiting; }

  // --- an actor begins an operation; `first` is what it reported at once, if anything ----------
  std::string start(std::size_t actor, const Op& op, const std::optional<Done>& first) {
    Actor& a = actors_[actor];
    a = Actor{};
    a.op = op;
    a.waiting = true;
    const bool cancelled = cancelled_[op.ctx];
    std::vector<std::size_t> ready;
    if (op.kind == OpKind::acquire) {
      if (!cancelled && op.weight <= free_ && queue_.empty()) ready.push_back(0);
    } else {
      ready = ready_cases(actor, cancelled);
    }
    if (first) {
      if (ready.empty() && cancelled) return finish(*first, Done{actor, Code::cancelled, 0, 0});
      return apply(*first, ready);
    }
    if (cancelled || !ready.empty()) return "actor " + std::to_string(actor) + " waits, and should not";
    enter(actor);
    return {};
  }

  // --- an actor reports the end of an operation it waited in ------------------------------------
  std::string report(const Done& done) {
    Actor& a = actors_[done.actor];
    if (!a.waiting) return "reported without an operation: " + text(done);
    if (a.expected) return finish(done, *a.expected);
    if (!a.woken) return "resumed although nothing happened: " + text(done);
    leave(done.actor);
    if (a.op.kind == OpKind::acquire) {
      std::string wrong = finish(done, Done{done.actor, Code::cancelled, 0, 0});
      serve();
      return wrong;
    }
    if (a.op.kind == OpKind::plain) {
      return finish(done, Done{done.actor, a.cancelled ? Code::cancelled : Code::closed, 0, 0});
    }
    const std::vector<std::size_t> ready = ready_cases(done.actor, false);
    if (ready.empty()) return finish(done, Done{done.actor, Code::cancelled, 0, 0});
    return apply(done, ready);
  }

  // After everything has run: nobody may still stand who should have gone on.
  std::string settled() const {
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      const Actor& a = actors_[i];
      if (a.waiting && (a.expected || a.woken)) return "actor " + std::to_string(i) + " is stuck";
    }
    return {};
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  struct Party {
    std::size_t actor;
    std::size_t which;
    long value;
  };
  struct Lane {
    std::size_t capacity = 0;
    bool closed = false;
    std::deque<long> buffer;
    std::deque<Party> senders;
    std::deque<Party> receivers;
  };
  struct Actor {
    Op op;
    bool waiting = false;
    bool woken = false;
    bool cancelled = false;
    std::optional<Done> expected;
  };

  void woken(std::size_t actor) { actors_[actor].woken = true; }
  void enter(std::size_t actor) {
    const Op& op = actors_[actor].op;
    if (op.kind == OpKind::acquire) queue_.push_back(actor);
    for (std::size_t i = 0; i < op.cases.size(); ++i) {
      const CaseSpec& c = op.cases[i];
      if (c.kind == Kind::send) channels_[c.target].senders.push_back({actor, i, c.value});
      if (c.kind == Kind::receive) channels_[c.target].receivers.push_back({actor, i, 0});
    }
  }
  void leave(std::size_t actor) {
    for (Lane& lane : channels_) {
      std::erase_if(lane.senders, [actor](const Party& p) { return p.actor == actor; });
      std::erase_if(lane.receivers, [actor](const Party& p) { return p.actor == actor; });
    }
    std::erase(queue_, actor);
  }
  void decide(const Party& party, long value) {
    actors_[party.actor].expected = Done{party.actor, Code::ok, party.which, value};
    leave(party.actor);
  }
  void serve() {
    while (!queue_.empty() && actors_[queue_.front()].op.weight <= free_) {
      free_ -= actors_[queue_.front()].op.weight;
      decide({queue_.front(), 0, 0}, 0);
    }
  }
  static const Party* other_than(std::size_t self, const std::deque<Party>& parties) {
    for (const Party& p : parties) {
      if (p.actor != self) return &p;
    }
    return nullptr;
  }
  bool give(std::size_t channel, long value, std::size_t self) {
    Lane& lane = channels_[channel];
    if (const Party* p = other_than(self, lane.receivers)) {
      decide(Party(*p), value);
      return true;
    }
    if (lane.buffer.size() == lane.capacity) return false;
    lane.buffer.push_back(value);
    return true;
  }
  std::optional<long> get(std::size_t channel, std::size_t self) {
    Lane& lane = channels_[channel];
    const Party* p = other_than(self, lane.senders);
    std::optional<long> value;
    if (!lane.buffer.empty()) {
      value = lane.buffer.front();
      lane.buffer.pop_front();
      if (p != nullptr) lane.buffer.push_back(p->value);
    } else if (p != nullptr) {
      value = p->value;
    }
    if (p != nullptr) decide(Party(*p), p->value);
    return value;
  }
  std::vector<std::size_t> ready_cases(std::size_t actor, bool levels_only) const {
    std::vector<std::size_t> ready;
    const Op& op = actors_[actor].op;
    for (std::size_t i = 0; i < op.cases.size(); ++i) {
      const CaseSpec& c = op.cases[i];
      const bool yes = c.kind == Kind::bell ? rung_[c.target]
                       : levels_only        ? false
                       : c.kind == Kind::receive
                           ? channels_[c.target].closed || !channels_[c.target].buffer.empty() ||
                                 other_than(actor, channels_[c.target].senders) != nullptr
                           : channels_[c.target].closed ||
                                 channels_[c.target].buffer.size() < channels_[c.target].capacity ||
                                 other_than(actor, channels_[c.target].receivers) != nullptr;
      if (yes) ready.push_back(i);
    }
    return ready;
  }
  // The library chose among what was ready: any choice will do, its effect must be the right one.
  std::string apply(const Done& done, const std::vector<std::size_t>& ready) {
    if (std::find(ready.begin(), ready.end(), done.which) == ready.end())
      return "was not ready: " + text(done);
    const Op op = actors_[done.actor].op;
    if (op.kind == OpKind::acquire) {
      free_ -= op.weight;
      return finish(done, Done{done.actor, Code::ok, 0, 0});
    }
    const CaseSpec& c = op.cases[done.which];
    Done right{done.actor, Code::ok, done.which, c.value};
    if (c.kind == Kind::send) {
      if (channels_[c.target].closed) {
        right.code = Code::closed;
        right.value = 0;
      } else {
        give(c.target, c.value, done.actor);
      }
    } else if (c.kind == Kind::receive) {
      const std::optional<long> value = get(c.target, done.actor);
      right.code = value ? Code::ok : Code::closed;
      right.value = value.value_or(0);
    }
    return finish(done, right);
  }
  std::string finish(const Done& done, const Done& right) {
    leave(done.actor);
    actors_[done.actor] = Actor{};
    if (done == right) return {};
    return "got " + text(done) + " instead of " + text(right);
  }

  std::vector<Lane> channels_;
  std::vector<bool> rung_;
  std::vector<bool> cancelled_;
  std::size_t free_;
  std::deque<std::size_t> queue_;
  std::vector<Actor> actors_;
};

}  // namespace belfry::test
