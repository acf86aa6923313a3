// Something throws where nothing should: a bug of belfry's, and no fault of the services.
#include <stdexcept>

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::HasSubstr;

class BrokenLife : public Rig {
 protected:
  BrokenLife() {
    loop.on_unread_error(
        [this](const std::string& who, const Error& error) { told.push_back(who + ": " + error.text()); });
  }
  ~BrokenLife() override { loop.on_unread_error({}); }
  std::vector<std::string> told;
};

TEST_F(BrokenLife, a_life_that_breaks_is_told_once_and_goes_on_to_its_end) {
  daemon("db");
  daemon("api", {"db"});
  resources.refuse = [](const config::Service& spec, std::uint64_t) -> Result<void> {
    if (spec.name == "api") throw std::runtime_error("out of cheese");
    return {};
  };
  up();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], "cannot live on with service 'api': its life broke: task 'api' threw: out of cheese");
  EXPECT_EQ(state("db"), State::ready) << "the others live on";
  down();
  advance(30s);
  EXPECT_TRUE(supervisor->is_at_rest());
  EXPECT_EQ(state("db"), State::inactive);
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(BrokenLife, one_that_breaks_while_it_runs_is_stopped) {
  daemon("db");
  daemon("api", {"db"});
  chronicle.on_change = [](const Service& service, State to) {
    if (service.name() == "api" && to == State::ready) throw std::runtime_error("out of cheese");
  };
  up();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr("task 'api' threw: out of cheese"));
  EXPECT_FALSE(processes.alive("api"));
  EXPECT_EQ(state("db"), State::ready);
  down();
  advance(30s);
  EXPECT_TRUE(supervisor->is_at_rest());
  EXPECT_EQ(processes.alive(), 0U);
}

TEST_F(BrokenLife, one_that_breaks_again_and_again_while_it_stops_is_killed_and_left) {
  daemon("api");
  script("api", {.stops_after = {}});
  up();
  ASSERT_EQ(state("api"), State::ready);
  processes.on_signal = [](const RunId&, int, system::Scope) { throw std::runtime_error("out of cheese"); };
  down();
  advance(60s);
  EXPECT_TRUE(supervisor->is_at_rest());
  EXPECT_EQ(state("api"), State::failed);
  EXPECT_TRUE(supervisor->has_stuck());
}

TEST_F(BrokenLife, a_probe_that_throws_has_failed_and_says_why) {
  config::Service& db = daemon("db");
  db.ready.probes.push_back(a_probe());
  probes.answer = [](const std::string&, const config::Probe&) -> ProbeAnswer {
    throw std::runtime_error("out of cheese");
  };
  up();
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_THAT(daemon::last_error(service("db")), HasSubstr("out of cheese"));
  EXPECT_TRUE(told.empty());
  probes.answer = {};
  advance(1s);
  EXPECT_EQ(state("db"), State::ready) << "and is asked again";
}

}  // namespace
}  // namespace belfry::testing
