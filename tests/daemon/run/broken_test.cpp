// Something throws in the daemon itself: its services are stopped in good order, and it ends with 70.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/run/daemon.hpp"
#include "system/signals.hpp"
#include "tests/support/stack_builder.hpp"

namespace belfry::daemon {
namespace {

using ::testing::HasSubstr;

// A service that writes down its end, in a daemon that has everything but a user.
struct BrokenDaemon : ::testing::Test {
  BrokenDaemon() {
    directory = std::filesystem::temp_directory_path() / ("belfry-broken-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    const std::string script = "trap 'echo stopped > " + (directory / "said").string() +
                               "; exit 0' TERM; echo started > " + (directory / "said").string() +
                               "; while :; do read line; done";
    config::Service& service = belfry::testing::a_service(stack, "api", config::ServiceType::daemon);
    service.command = {"/bin/sh", "-c", "exec 3<>" + fifo() + "; exec 0<&3; " + script};
    service.working_dir = directory.string();
    // Ready when it has set its trap: until then a SIGTERM would end it without a word.
    config::Probe& ready = service.ready.probes.emplace_back();
    ready.kind = config::Probe::Kind::file;
    ready.target = (directory / "said").string();
  }
  ~BrokenDaemon() override { std::filesystem::remove_all(directory); }
  std::string fifo() const {
    const std::string path = (directory / "never").string();
    ::mkfifo(path.c_str(), 0600);
    return path;
  }
  std::string said() const {
    std::string text;
    std::getline(std::ifstream(directory / "said"), text);
    return text;
  }
  int serve(std::function<Task<void>(Daemon&, Context&)> meanwhile) {
    ::testing::internal::CaptureStderr();
    RunMode mode;
    mode.private_socket = true;
    mode.tcp_by_default = false;
    int code = -1;
    {
      Daemon daemon(stack, mode);
      if (const auto refused = daemon.open()) {
        code = *refused;
      } else {
        code = daemon.serve([&](Context& ctx) { return meanwhile(daemon, ctx); });
      }
    }
    errors = ::testing::internal::GetCapturedStderr();
    return code;
  }

  system::SignalBlock blocked;
  std::filesystem::path directory;
  config::Stack stack = belfry::testing::a_stack();
  std::string errors;
};

Task<void> until_started(Daemon& daemon, Context& ctx) { (void)co_await daemon.supervisor().up().wait(ctx); }
Task<void> break_when_up(Daemon& daemon, Context& ctx) {
  co_await until_started(daemon, ctx);
  throw std::runtime_error("out of cheese");
}

TEST_F(BrokenDaemon, a_task_beside_it_that_throws_ends_the_stack_in_good_order) {
  EXPECT_EQ(serve(&break_when_up), exit_code::internal);
  EXPECT_THAT(errors,
              HasSubstr("internal error: cannot go on after task 'meanwhile': it threw: out of cheese"));
  EXPECT_EQ(said(), "stopped");
}

TEST_F(BrokenDaemon, so_does_its_own_life) {
  EXPECT_EQ(serve([](Daemon&, Context&) -> Task<void> { throw std::runtime_error("out of cheese"); }),
            exit_code::internal);
  EXPECT_THAT(errors, HasSubstr("internal error: task 'daemon' threw: out of cheese"));
}

Task<void> break_the_loop_when_up(Daemon& daemon, Context& ctx) {
  co_await until_started(daemon, ctx);
  struct Body {
    static Task<void> run() {
      throw std::runtime_error("out of cheese");
      co_return;
    }
  };
  TaskHandle stray = spawn(daemon.loop(), "stray", Body::run());
  std::move(stray).leave_to_loop();
  (void)co_await sleep_for(ctx, Duration::max());
}

TEST_F(BrokenDaemon, so_does_a_task_that_was_left_to_the_loop) {
  EXPECT_EQ(serve(&break_the_loop_when_up), exit_code::internal);
  EXPECT_THAT(errors,
              HasSubstr("cannot go on after task 'stray': it threw and nobody joins it: out of cheese"));
  EXPECT_EQ(said(), "stopped");
}

}  // namespace
}  // namespace belfry::daemon
