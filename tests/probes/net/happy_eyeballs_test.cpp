// A connection to whichever address answers first. The clock is the test's: nothing here waits for 250 ms.
#include "probes/net/happy_eyeballs.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <optional>

#include "channels/spawn.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using test::LocalSocket;
using namespace std::chrono_literals;

Endpoint at(const LocalSocket& socket, bool wide = false) {
  const asio::ip::address v6 = asio::ip::address_v6::loopback();
  const asio::ip::address v4 = asio::ip::address_v4::loopback();
  return {wide ? v6 : v4, socket.port()};
}

// Listens and never answers: its queue is full.
class SilentListener {
 public:
  explicit SilentListener(bool wide) : listener_(SOCK_STREAM, wide) {
    ::listen(listener_.fd(), 0);
    const Endpoint to = at(listener_, wide);
    for (int i = 0; i < 4; ++i) {
      fillers_.push_back(std::make_unique<LocalSocket>(SOCK_STREAM | SOCK_NONBLOCK, wide, false));
      (void)::connect(fillers_.back()->fd(), to.data(), static_cast<socklen_t>(to.size()));
    }
  }
  [[nodiscard]] const LocalSocket& socket() const { return listener_; }

 private:
  LocalSocket listener_;
  std::vector<std::unique_ptr<LocalSocket>> fillers_;
};

struct Rig {
  explicit Rig(std::vector<Endpoint> endpoints)
      : ctx(loop), socket(loop.executor()), task(spawn(loop, "connect", connect(std::move(endpoints)))) {
    loop.run_until_idle();
  }
  ~Rig() {
    ctx.cancel();
    loop.run_until_idle();
    EXPECT_TRUE(task.done());
    EXPECT_TRUE(loop.timers().empty());
  }
  Task<void> connect(std::vector<Endpoint> endpoints) {
    Result<void> connected = co_await connect_to_first(ctx, socket, std::move(endpoints), "db:5432");
    outcome.emplace(std::move(connected));
  }
  [[nodiscard]] std::string said() const {
    if (!outcome) return "still tries";
    if (!*outcome) return outcome->error().text();
    return "port " + std::to_string(socket.remote_endpoint().port());
  }
  static std::string port_of(const LocalSocket& server) { return "port " + std::to_string(server.port()); }

  ManualClock clock;
  Loop loop{clock};
  Context ctx;
  Socket socket;
  std::optional<Result<void>> outcome;
  TaskHandle task;
};

TEST(HappyEyeballs, an_address_that_refuses_costs_no_time) {
  const LocalSocket refusing(SOCK_STREAM, true, false);
  const LocalSocket alive;
  const Rig rig({at(refusing, true), at(alive)});
  EXPECT_EQ(rig.said(), Rig::port_of(alive));
}

TEST(HappyEyeballs, an_address_that_is_silent_costs_a_quarter_of_a_second) {
  const SilentListener silent(true);
  const LocalSocket alive;
  Rig rig({at(silent.socket(), true), at(alive)});
  EXPECT_EQ(rig.said(), "still tries");
  rig.loop.advance(249ms);
  EXPECT_EQ(rig.said(), "still tries");
  rig.loop.advance(1ms);
  EXPECT_EQ(rig.said(), Rig::port_of(alive));
}

TEST(HappyEyeballs, neither_family_is_preferred_when_the_other_is_dead) {
  const SilentListener silent(false);
  const LocalSocket alive(SOCK_STREAM, true);
  Rig rig({at(silent.socket()), at(alive, true)});
  rig.loop.advance(250ms);
  EXPECT_EQ(rig.said(), Rig::port_of(alive));
}

TEST(HappyEyeballs, the_first_that_connects_wins_and_no_other_is_tried) {
  const LocalSocket first;
  const LocalSocket second;
  const Rig rig({at(first), at(second)});
  EXPECT_EQ(rig.said(), Rig::port_of(first));
  pollfd asked{.fd = second.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&asked, 1, 0), 0) << "the second address was connected to";
}

TEST(HappyEyeballs, when_all_refuse_the_reason_is_said_once) {
  const LocalSocket one(SOCK_STREAM, true, false);
  const LocalSocket other(SOCK_STREAM, false, false);
  const Rig rig({at(one, true), at(other)});
  EXPECT_EQ(rig.said(), "cannot connect to db:5432: Connection refused");
}

TEST(HappyEyeballs, different_reasons_are_said_with_their_addresses) {
  const LocalSocket refusing(SOCK_STREAM, false, false);
  const Rig rig({Endpoint(asio::ip::make_address("fe80::1"), 1), at(refusing)});  // it would need a zone
  EXPECT_EQ(rig.said(),
            "cannot connect to db:5432: fe80::1: Invalid argument; 127.0.0.1: Connection refused");
}

TEST(HappyEyeballs, what_this_host_cannot_reach_at_all_is_no_reason_beside_others) {
  const LocalSocket refusing(SOCK_STREAM, false, false);
  const Endpoint unreachable(asio::ip::make_address("255.255.255.255"), 1);
  EXPECT_EQ(Rig({unreachable, at(refusing)}).said(), "cannot connect to db:5432: Connection refused");
  EXPECT_EQ(Rig({unreachable, unreachable}).said(), "cannot connect to db:5432: Network is unreachable");
}

TEST(HappyEyeballs, a_cancelled_race_ends_at_once_and_breaks_every_attempt_off) {
  const SilentListener one(true);
  const SilentListener other(false);
  Rig rig({at(one.socket(), true), at(other.socket())});
  rig.loop.advance(300ms);
  EXPECT_EQ(rig.said(), "still tries");
  rig.ctx.cancel(Error::cancelled("the service is stopping"));
  rig.loop.run_until_idle();
  EXPECT_EQ(rig.said(), "cannot connect to db:5432: the service is stopping");
}

}  // namespace
}  // namespace belfry::probes
