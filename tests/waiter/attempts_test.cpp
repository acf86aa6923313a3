#include "waiter/attempts.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <utility>
#include <vector>

#include "channels/loop.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

namespace belfry::waiter {
namespace {

using namespace std::chrono_literals;

// Answers as it was told, the last answer for ever; `silent`: never.
class Scripted : public probes::Probe {
 public:
  Scripted(Loop& loop, std::deque<probes::CheckResult> answers) : loop_(loop), answers_(std::move(answers)) {}
  Task<probes::CheckResult> check(Context& ctx) override {
    asked_at.push_back(loop_.now());
    if (answers_.empty()) {
      const Result<void> slept = co_await sleep_until(ctx, TimePoint::max() - 1h);
      co_return std::unexpected(slept.error());
    }
    probes::CheckResult next = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    co_return next;
  }
  std::vector<TimePoint> asked_at;

 private:
  Loop& loop_;
  std::deque<probes::CheckResult> answers_;
};

// Told of everything from the first check on that comes after tell().
class Telling final : public Scripted {
 public:
  using Scripted::Scripted;
  void tell(probes::NewsListener* to) override { listener = to; }
  bool is_told() const override { return listener != nullptr; }
  probes::NewsListener* listener = nullptr;
};

probes::CheckResult no(Error why) { return std::unexpected(std::move(why)); }
const probes::CheckResult yes{};

struct AttemptsTest : testing::Test {
  ManualClock clock;
  Loop loop{clock};
  Semaphore slots{loop, 1, "slots"};
  Tally tally{loop, false};
  AttemptTerms terms;

  // As long as it takes; a second at most.
  Awaited after(Scripted& probe, Duration patience = 1s) {
    const std::size_t index = tally.add("it");
    Context ctx(loop);
    WaitGroup tasks(loop);
    spawn(tasks, "asking", ask_until_settled(ctx, probe, terms, slots, tally, index));
    loop.advance(patience);
    ctx.cancel();
    loop.run_until_idle();
    EXPECT_EQ(tasks.count(), 0U);
    return tally.all()[index];
  }
};

TEST_F(AttemptsTest, it_is_asked_again_until_it_is_so_and_then_no_more) {
  Scripted probe(loop, {no(Error::failed("one")), no(Error::failed("two")), yes});
  EXPECT_EQ(after(probe).state, Awaited::State::met);
  EXPECT_EQ(probe.asked_at.size(), 3U);
}

TEST_F(AttemptsTest, pauses_are_a_fiftieth_of_the_wait_or_the_interval) {
  Scripted adaptive(loop, {no(Error::failed("no"))});
  const TimePoint began = loop.now();
  EXPECT_EQ(after(adaptive).why, "no");
  EXPECT_EQ(adaptive.asked_at[1] - began, 1ms);
  EXPECT_LT(adaptive.asked_at.size(), 250U);

  terms.interval = 300ms;
  Scripted regular(loop, {no(Error::failed("no"))});
  after(regular);
  EXPECT_EQ(regular.asked_at.size(), 4U);
}

TEST_F(AttemptsTest, one_that_never_answers_is_asked_again_after_its_timeout_and_ends_with_the_wait) {
  Scripted probe(loop, {});
  terms.timeout = 100ms;
  const Awaited it = after(probe);
  EXPECT_EQ(it.state, Awaited::State::waiting);
  EXPECT_FALSE(it.why.empty());
  EXPECT_GT(probe.asked_at.size(), 5U);
}

TEST_F(AttemptsTest, one_that_tells_of_news_is_asked_at_once_and_not_in_between) {
  Telling probe(loop, {no(Error::failed("no")), no(Error::failed("no")), yes});
  const TimePoint began = loop.now();
  Timer later(loop);
  later.arm(began + 400ms, [&probe] { probe.listener->on_news(); });
  EXPECT_EQ(after(probe).state, Awaited::State::met);
  EXPECT_EQ(probe.asked_at.size(), 3U);
  EXPECT_EQ(probe.asked_at.back() - began, 400ms);
  EXPECT_EQ(probe.listener, nullptr);
}

TEST_F(AttemptsTest, not_waits_for_an_attempt_that_fails) {
  terms.negated = true;
  Scripted probe(loop, {yes, yes, no(Error::failed("gone")), yes});
  EXPECT_EQ(after(probe).state, Awaited::State::met);
  EXPECT_EQ(probe.asked_at.size(), 3U);
  Scripted there(loop, {yes});
  EXPECT_EQ(after(there).why, "it is still there");
}

TEST_F(AttemptsTest, too_few_descriptors_or_rights_here_are_nobody_elses_absence) {
  terms.negated = true;
  for (const int errnum : {EMFILE, EACCES, EPERM}) {
    Scripted probe(loop, {no(Error::from_errno(errnum, "cannot connect"))});
    EXPECT_EQ(after(probe).state, Awaited::State::waiting);
  }
}

TEST_F(AttemptsTest, what_makes_no_sense_is_hopeless) {
  Scripted probe(loop, {no(Error(Error::Kind::invalid, "too long"))});
  EXPECT_EQ(after(probe).state, Awaited::State::hopeless);
  EXPECT_EQ(probe.asked_at.size(), 1U);
}

TEST_F(AttemptsTest, a_wait_for_a_slot_ends_with_the_wait) {
  Context ctx(loop);
  Result<Permit> taken = std::unexpected(Error());
  const auto take = [](Semaphore& from, Context& within, Result<Permit>& into) -> Task<void> {
    into = co_await from.acquire(within);
  };
  WaitGroup taking(loop);
  spawn(taking, "taking", take(slots, ctx, taken));
  loop.run_until_idle();
  Scripted probe(loop, {yes});
  EXPECT_EQ(after(probe).state, Awaited::State::waiting);
  EXPECT_TRUE(probe.asked_at.empty());
}

}  // namespace
}  // namespace belfry::waiter
