#include "system/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <vector>

#include "system/proc.hpp"

namespace belfry::system {
namespace {

TEST(SpawnError, names_stage_reason_and_command) {
  SpawnError missing{SpawnStage::exec, ENOENT, {}};
  EXPECT_EQ(missing.text("./apii"), "exec: No such file or directory: ./apii");
}

TEST(SpawnError, names_the_thing_it_failed_on_when_that_is_not_the_command) {
  SpawnError nowhere{SpawnStage::working_dir, ENOENT, "/nowhere"};
  EXPECT_EQ(nowhere.text("api"), "working_dir: No such file or directory: /nowhere");
}

TEST(SpawnError, only_a_lack_of_resources_is_worth_another_try) {
  EXPECT_TRUE((SpawnError{SpawnStage::clone, EAGAIN, {}}).transient());
  EXPECT_TRUE((SpawnError{SpawnStage::exec, ENOMEM, {}}).transient());
  EXPECT_FALSE((SpawnError{SpawnStage::exec, ENOENT, {}}).transient());
}

TEST(ExitStatus, says_how_a_process_ended) {
  EXPECT_EQ((ExitStatus{false, 3, false}).text(), "exited with code 3");
  EXPECT_EQ((ExitStatus{true, SIGKILL, false}).text(), "killed by SIGKILL");
  EXPECT_EQ((ExitStatus{true, SIGSEGV, true}).text(), "killed by SIGSEGV (core dumped)");
}

TEST(ExitStatus, names_a_lack_of_memory_as_the_cause_of_death) {
  EXPECT_EQ((ExitStatus{.signaled = true, .value = SIGKILL, .out_of_memory = true}.text()),
            "killed by SIGKILL (out of memory)");
}

TEST(ExitStatus, maps_to_a_shells_code) {
  EXPECT_EQ((ExitStatus{false, 3, false}).shell_code(), 3);
  EXPECT_EQ((ExitStatus{true, SIGTERM, false}).shell_code(), 143);
}

TEST(Survivors, of_a_crowd_the_first_are_named_and_the_others_counted) {
  std::vector<Survivor> crowd;
  for (pid_t pid = 100; pid < 116; ++pid) crowd.push_back({.pid = pid, .state = 'S', .name = "bomb"});
  EXPECT_TRUE(text_of(crowd).ends_with("114 bomb, 115 bomb")) << text_of(crowd);
  crowd.push_back({.pid = 116, .state = 'S', .name = "bomb"});
  EXPECT_TRUE(text_of(crowd).ends_with("115 bomb and 1 more")) << text_of(crowd);
  crowd.resize(proc::most_survivors);  // nobody looked any further
  EXPECT_TRUE(text_of(crowd).ends_with("115 bomb and at least 240 more")) << text_of(crowd);
}

TEST(SignalName, real_time_signals_count_from_the_first) {
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGRTMIN), "SIGRTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(999), "signal 999");
}

}  // namespace
}  // namespace belfry::system
