// What an exit code means, and how it is said.
#include "daemon/service/run_outcome.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/stack_builder.hpp"

namespace belfry::testing {
namespace {

class RunOutcome : public ::testing::Test {
 protected:
  RunOutcome() : service(a_service(stack, "db", config::ServiceType::daemon)) {}
  void exits(int code) { record.run.exit = system::ExitStatus{.signaled = false, .value = code}; }
  void dies_of(int signo) { record.run.exit = system::ExitStatus{.signaled = true, .value = signo}; }
  [[nodiscard]] std::string text() const { return last_exit_error(record, service).text(); }
  [[nodiscard]] bool success() const { return exit_was_success(record.run, service); }

  config::Stack stack = a_stack();
  config::Service& service;
  daemon::Record record;
};

TEST_F(RunOutcome, zero_is_success_and_so_is_what_the_file_says) {
  exits(0);
  EXPECT_TRUE(success());
  exits(143);
  EXPECT_FALSE(success());
  service.extras = std::make_unique<config::ServiceExtras>();
  service.extras->success_exit_codes = {143};
  EXPECT_TRUE(success());
}

TEST_F(RunOutcome, a_signal_of_that_number_is_none) {
  service.extras = std::make_unique<config::ServiceExtras>();
  service.extras->success_exit_codes = {SIGTERM};
  dies_of(SIGTERM);
  EXPECT_FALSE(success());
}

TEST_F(RunOutcome, what_made_it_a_failure_stays_one) {
  exits(0);
  record.run.failure = Error::failed("it hung");
  EXPECT_FALSE(success());
}

TEST_F(RunOutcome, an_exit_before_the_bell_is_said_to_be_one) {
  exits(3);
  EXPECT_EQ(text(), "db exited with code 3 before it was ready");
  record.run.ready_at = TimePoint{1h};
  EXPECT_EQ(text(), "db exited with code 3");
}

TEST_F(RunOutcome, of_a_oneshot_without_probes_nothing_else_was_expected) {
  service.type = config::ServiceType::oneshot;
  exits(3);
  EXPECT_EQ(text(), "db exited with code 3");
}

TEST_F(RunOutcome, who_asked_for_the_kill_and_what_it_said_itself_are_added) {
  record.run.ready_at = TimePoint{1h};
  record.run.killed_by_command = true;
  dies_of(SIGKILL);
  record.run.said.set_error(5, {});
  EXPECT_EQ(text(), "db killed by SIGKILL, as `belfry kill` asked (it said ERRNO=5, Input/output error)");
}

TEST_F(RunOutcome, what_else_is_known_comes_last) {
  exits(1);
  record.run.said.set_error(98, {});
  record.run.finding = "port 80 is taken";
  EXPECT_EQ(text(),
            "db exited with code 1 before it was ready (it said ERRNO=98, Address already in use): port 80 "
            "is taken");
}

TEST(SignalWords, of_a_kill_say_whose_it_was_as_far_as_that_is_known) {
  system::ExitStatus killed{.signaled = true, .value = SIGKILL};
  EXPECT_EQ(daemon::signal_words(killed, {}), "belfry has not sent it");
  EXPECT_EQ(daemon::signal_words(killed, {.oom_kills_on_machine = 0}), "belfry has not sent it");
  EXPECT_EQ(
      daemon::signal_words(killed, {.oom_kills_on_machine = 1}),
      "belfry has not sent it; it was probably the kernel's, for lack of memory: one process of this machine "
      "was ended so while it ran");
  killed.out_of_memory = true;
  EXPECT_EQ(daemon::signal_words(killed, {.oom_kills = 1}),
            "the kernel ended it at the memory limit of its cgroup (memory_max)");
}

TEST(SignalWords, of_others_say_what_they_mean_and_where_the_core_is) {
  const auto words = [](int signo, std::string core = {}) {
    return daemon::signal_words({.signaled = true, .value = signo}, {.core = std::move(core)});
  };
  EXPECT_EQ(words(SIGSEGV), "");
  EXPECT_EQ(words(SIGSEGV, "the core is /core"), "the core is /core");
  EXPECT_EQ(words(SIGSYS, "the core is /core"),
            "a seccomp filter ends who makes a system call that it does not allow; the core is /core");
  EXPECT_EQ(words(SIGPIPE), "it wrote to somebody who had gone");
}

}  // namespace
}  // namespace belfry::testing
