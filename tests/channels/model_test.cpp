// Random operations on channels, select, semaphore and contexts, held against the reference model.
//
//   BELFRY_MODEL_OPERATIONS=5000000 BELFRY_MODEL_SEED=17 belfry_channels_tests --gtest_filter='Model.*'
//
// The seed is printed when something is wrong; the same seed takes the same steps.
#include <array>
#include <cstdlib>
#include <memory>
#include <random>

#include "channels/bell.hpp"
#include "channels/channel_case.hpp"
#include "channels/handshake.hpp"
#include "channels/semaphore.hpp"
#include "channels/wakeup.hpp"
#include "tests/channels/reference_model.hpp"
#include "tests/channels/rig.hpp"
#include "tests/support/instrumented.hpp"

namespace belfry {
namespace {

using namespace test;

constexpr std::array<std::size_t, 4> capacities{0, 0, 1, 3};
constexpr std::size_t bell_count = 2;
constexpr std::size_t context_count = 4;  // 0 is the parent of 1 and 2; 3 stands alone
constexpr std::size_t actor_count = 7;
constexpr std::size_t units = 5;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// The library's side of the world.
struct World {
  explicit World(Rig& rig) : loop(rig.loop), root(rig.root) {
    for (std::size_t i = 0; i < capacities.size(); ++i) make_channel(i);
    for (std::size_t i = 0; i < bell_count; ++i) make_bell(i);
    renew_contexts();
  }
  void make_channel(std::size_t i) {
    channels[i] = std::make_unique<Channel<long>>(loop, capacities[i], "model");
  }
  void make_bell(std::size_t i) { bells[i] = std::make_unique<Bell<>>(loop, "model"); }
  void renew_contexts() {
    for (std::size_t i = context_count; i-- > 0;) contexts[i].reset();
    for (std::size_t i = 0; i < context_count; ++i) {
      contexts[i] = std::make_unique<Context>(i == 1 || i == 2 ? *contexts[0] : root);
    }
  }

  Loop& loop;
  Context& root;
  std::array<std::unique_ptr<Channel<long>>, capacities.size()> channels;
  std::array<std::unique_ptr<Bell<>>, bell_count> bells;
  std::array<std::unique_ptr<Context>, context_count> contexts;
  Semaphore semaphore{loop, units, "model"};
  std::vector<Done> log;
};

struct Actor {
  Actor(World& w, std::size_t i) : world(w), id(i), wakeup(w.loop), handshake(w.root, "actor") {}
  World& world;
  std::size_t id;
  Wakeup wakeup;
  Handshake handshake;
  Op op;
  Permit permit;
};

Code code_of(const Error& error) {
  return error.kind() == Error::Kind::closed ? Code::closed : Code::cancelled;
}

Task<Done> plain(Actor& self, Context& ctx) {
  const CaseSpec spec = self.op.cases[0];
  Channel<long>& channel = *self.world.channels[spec.target];
  if (spec.kind == Kind::send) {
    Result<void> sent = co_await channel.send(ctx, spec.value);
    co_return Done{self.id, sent ? Code::ok : code_of(sent.error()), 0, sent ? spec.value : 0};
  }
  Result<long> item = co_await channel.receive(ctx);
  co_return Done{self.id, item ? Code::ok : code_of(item.error()), 0, item ? *item : 0};
}

Task<Done> select_some(Actor& self, Context& ctx) {
  std::vector<std::unique_ptr<SelectCase>> owned;
  std::vector<SelectCase*> cases;
  for (const CaseSpec& spec : self.op.cases) {
    switch (spec.kind) {
      case Kind::bell: owned.push_back(std::make_unique<BellCase>()); break;
      case Kind::send:
        owned.push_back(
            std::make_unique<SendCase<long>>(self.world.channels[spec.target]->sender(), spec.value));
        break;
      case Kind::receive:
        owned.push_back(std::make_unique<ReceiveCase<long>>(self.world.channels[spec.target]->receiver()));
        break;
    }
    if (spec.kind == Kind::bell) {
      static_cast<BellCase&>(*owned.back()).target(self.world.bells[spec.target]->listener());
    }
    cases.push_back(owned.back().get());
  }
  const std::size_t which = co_await select(ctx, std::span<SelectCase* const>(cases));
  if (which == select_cancelled) co_return Done{self.id, Code::cancelled, 0, 0};
  const CaseSpec& spec = self.op.cases[which];
  if (spec.kind == Kind::bell) co_return Done{self.id, Code::ok, which, spec.value};
  if (spec.kind == Kind::send) {
    Result<void> sent = static_cast<SendCase<long>&>(*owned[which]).sent();
    co_return Done{self.id, sent ? Code::ok : Code::closed, which, sent ? spec.value : 0};
  }
  Result<long> item = static_cast<ReceiveCase<long>&>(*owned[which]).take();
  co_return Done{self.id, item ? Code::ok : Code::closed, which, item ? *item : 0};
}

Task<Done> acquire(Actor& self, Context& ctx) {
  Result<Permit> permit = co_await self.world.semaphore.acquire(ctx, self.op.weight);
  if (permit) self.permit = std::move(*permit);
  co_return Done{self.id, permit ? Code::ok : Code::cancelled, 0, 0};
}

Task<> act(Actor& self) {
  for (;;) {
    Result<void> told = co_await self.wakeup.wait(self.handshake.context());
    if (!told) co_return;
    Context& ctx = *self.world.contexts[self.op.ctx];
    Done done;
    switch (self.op.kind) {
      case OpKind::select: done = co_await select_some(self, ctx); break;
      case OpKind::acquire: done = co_await acquire(self, ctx); break;
      default: done = co_await plain(self, ctx); break;
    }
    self.world.log.push_back(done);
  }
}

class Driver {
 public:
  Driver(Rig& rig, std::uint64_t seed)
      : world_(rig),
        model_({capacities.begin(), capacities.end()}, bell_count, context_count, units, actor_count),
        random_(seed) {
    for (std::size_t i = 0; i < actor_count; ++i) {
      actors_.push_back(std::make_unique<Actor>(world_, i));
      spawn(actors_.back()->handshake, act(*actors_.back()));
    }
    world_.loop.run_until_idle();
  }
  ~Driver() {
    for (std::size_t i = 0; i < context_count; ++i) world_.contexts[i]->cancel();
    for (auto& actor : actors_) actor->handshake.request_stop();
    world_.loop.run_until_idle();
  }

  // One operation of an actor, or up to three of the driver's own within one turn. "" when all is well.
  std::string step() {
    renew();
    world_.log.clear();
    std::string wrong = pick(2) == 0 ? let_an_actor_begin() : meddle(1 + pick(3));
    if (wrong.empty()) wrong = check_the_log();
    return wrong;
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }

  CaseSpec random_case(bool bells_too) {
    const std::size_t kind = pick(bells_too ? 5 : 4);
    if (kind == 4) return {Kind::bell, pick(bell_count), 0};
    const std::size_t channel = pick(capacities.size());
    if (kind < 2) return {Kind::receive, channel, 0};
    return {Kind::send, channel, ++values_};
  }

  Op random_op(const Actor& actor) {
    Op op;
    op.ctx = pick(context_count);
    const std::size_t kind = pick(8);
    if (kind == 0 && !actor.permit) {
      op.kind = OpKind::acquire;
      op.weight = 1 + pick(units);
    } else if (kind < 4) {
      op.kind = OpKind::select;
      for (std::size_t n = 1 + pick(4); n > 0; --n) op.cases.push_back(random_case(true));
    } else {
      op.kind = OpKind::plain;
      op.cases.push_back(random_case(false));
    }
    return op;
  }

  std::string let_an_actor_begin() {
    const std::size_t who = pick(actor_count);
    if (!model_.idle(who)) return {};
    Actor& actor = *actors_[who];
    actor.op = random_op(actor);
    actor.wakeup.notify();
    world_.loop.run_until_idle();
    std::optional<Done> first;
    if (!world_.log.empty() && world_.log.front().actor == who) {
      first = world_.log.front();
      world_.log.erase(world_.log.begin());
    }
    return model_.start(who, actor.op, first);
  }

  std::string meddle(std::size_t times) {
    std::string wrong;
    for (; times > 0 && wrong.empty(); --times) wrong = meddle_once();
    world_.loop.run_until_idle();
    return wrong;
  }

  std::string meddle_once() {
    const std::size_t channel = pick(capacities.size());
    switch (pick(16)) {
      case 0: return close(channel);
      case 1: return ring(pick(bell_count));
      case 2:
      case 3: return cancel(pick(context_count));
      case 4:
      case 5:
      case 6: return release(*actors_[pick(actor_count)]);
      case 7:
      case 8:
      case 9:
      case 10:
      case 11: {
        const long value = ++values_;
        const bool sent = world_.channels[channel]->try_send(long(value));
        return sent == model_.try_send(channel, value) ? "" : "try_send differs";
      }
      default: {
        const std::optional<long> got = world_.channels[channel]->try_receive();
        return got == model_.try_receive(channel) ? "" : "try_receive differs";
      }
    }
  }

  std::string close(std::size_t channel) {
    world_.channels[channel]->close();
    if (!model_.closed(channel)) model_.close(channel);
    return {};
  }
  std::string ring(std::size_t bell) {
    world_.bells[bell]->ring();
    model_.ring(bell);
    return {};
  }
  std::string cancel(std::size_t ctx) {
    world_.contexts[ctx]->cancel();
    // A parent's links hear in the order in which they came; the model needs only who hears.
    for (std::size_t i = 0; i < context_count; ++i) {
      if (world_.contexts[i]->cancelled() && !model_.cancelled(i)) model_.cancel(i);
    }
    return {};
  }
  std::string release(Actor& actor) {
    if (!actor.permit) return {};
    const std::size_t weight = actor.permit.weight();
    actor.permit.release();
    model_.release(weight);
    return {};
  }

  std::string check_the_log() {
    for (const Done& done : world_.log) {
      std::string wrong = model_.report(done);
      if (!wrong.empty()) return wrong;
    }
    std::string wrong = model_.settled();
    if (!wrong.empty()) return wrong;
    for (std::size_t i = 0; i < capacities.size(); ++i) {
      if (world_.channels[i]->size() != model_.buffered(i)) return "the buffers differ";
    }
    if (world_.semaphore.available() != model_.free_units()) return "the free units differ";
    return {};
  }

  // Nobody waits at what has ended: it can be replaced by something fresh.
  void renew() {
    if (pick(4) != 0) return;
    for (std::size_t i = 0; i < capacities.size(); ++i) {
      if (!model_.closed(i)) continue;
      world_.make_channel(i);
      model_.reopen(i);
    }
    for (std::size_t i = 0; i < bell_count; ++i) {
      if (!model_.rung(i)) continue;
      world_.make_bell(i);
      model_.silence(i);
    }
    renew_contexts();
  }
  void renew_contexts() {
    // Children go with their parent; a child that is live and in use keeps the parent alive.
    for (std::size_t i = 1; i < context_count; ++i) {
      if (!model_.cancelled(i) || (i != 3 && model_.cancelled(0))) continue;
      world_.contexts[i] = std::make_unique<Context>(i == 3 ? world_.root : *world_.contexts[0]);
      model_.renew(i);
    }
    if (!model_.cancelled(0)) return;
    for (std::size_t i = 3; i-- > 0;) world_.contexts[i].reset();
    for (std::size_t i = 0; i < 3; ++i) {
      world_.contexts[i] = std::make_unique<Context>(i == 0 ? world_.root : *world_.contexts[0]);
      model_.renew(i);
    }
  }

  World world_;
  ReferenceModel model_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Actor>> actors_;
  long values_ = 0;
};

TEST(Model, random_operations_do_what_the_reference_model_does) {
  const std::uint64_t operations = setting("BELFRY_MODEL_OPERATIONS", is_instrumented ? 200'000 : 1'000'000);
  const std::uint64_t first_seed = setting("BELFRY_MODEL_SEED", 20'261'120);
  constexpr std::uint64_t per_seed = 50'000;
  for (std::uint64_t done = 0, seed = first_seed; done < operations; done += per_seed, ++seed) {
    Rig rig;
    Driver driver(rig, seed);
    for (std::uint64_t i = 0; i < per_seed; ++i) {
      const std::string wrong = driver.step();
      ASSERT_EQ(wrong, "") << "step " << i << "; replay with BELFRY_MODEL_SEED=" << seed
                           << " BELFRY_MODEL_OPERATIONS=" << per_seed;
    }
  }
}

}  // namespace
}  // namespace belfry
