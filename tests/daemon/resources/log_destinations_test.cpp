#include "daemon/resources/log_destinations.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "channels/loop.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

struct LogDestinationsTest : testing::Test {
  LogDestinationsTest() {
    std::string name = "/tmp/belfry-destinations-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    EXPECT_EQ(::pipe2(output.data(), O_CLOEXEC | O_NONBLOCK), 0);
    pump = std::make_unique<LogPump>(loop, output[1]);
  }
  ~LogDestinationsTest() override {
    opened.clear();
    logs.reset();
    pump.reset();
    loop.abandon();
    ::close(output[0]);
    ::close(output[1]);
    std::filesystem::remove_all(directory);
  }
  config::Log& service(const std::string& name) {
    config::Service& spec = stack.services.emplace_back();
    spec.name = name;
    spec.extras = std::make_unique<config::ServiceExtras>();
    return spec.extras->log;
  }
  void begin() {
    logs = std::make_unique<LogDestinations>(loop, stack, *pump);
    logs->on_trouble = [this](const std::string& text) { troubles.push_back(text); };
    logs->on_unwritten = [this](const std::string& name, std::uint64_t lines) {
      unwritten += name + ": " + std::to_string(lines);
    };
    for (std::size_t i = 0; i < stack.services.size(); ++i)
      opened.push_back(logs->open(i, stack.services[i]));
  }
  void say(std::size_t service, std::string_view line) {
    opened[service]->add({.bytes = line}, {.incarnation = 1});
  }
  void write_all() {
    for (int i = 0; i < 3; ++i) {
      loop.run_until_idle();
      pump->finish(30s);
      logs->each_pump([](const std::string&, LogPump& one) { one.finish(30s); });
    }
  }
  [[nodiscard]] std::string printed() const {
    std::array<char, 65536> buffer{};
    const ssize_t n = ::read(output[0], buffer.data(), buffer.size());
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : "";
  }
  static std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  std::string directory;
  std::array<int, 2> output{};
  Loop loop;
  config::Stack stack;
  std::unique_ptr<LogPump> pump;
  std::unique_ptr<LogDestinations> logs;
  std::vector<std::unique_ptr<LogOutputs>> opened;
  std::vector<std::string> troubles;
  std::string unwritten;
};

TEST_F(LogDestinationsTest, a_plain_service_goes_to_belfrys_output_and_its_ring) {
  service("web");
  begin();
  say(0, "hello\n");
  write_all();
  EXPECT_EQ(printed(), "web | hello\n");
  ASSERT_NE(logs->ring(0), nullptr);
  EXPECT_EQ(logs->ring(0)->next(), 2U);
}

TEST_F(LogDestinationsTest, the_ring_stays_when_the_service_gives_everything_back) {
  service("web");
  begin();
  say(0, "first run\n");
  opened.clear();
  opened.push_back(logs->open(0, stack.services[0]));
  say(0, "second run\n");
  EXPECT_EQ(logs->ring(0)->next(), 3U);
}

TEST_F(LogDestinationsTest, services_may_share_a_file_each_in_its_form) {
  config::Log& a = service("a");
  a.to_stdout = false;
  a.file = directory + "/both.log";
  config::Log& b = service("b");
  b.file = directory + "/both.log";
  b.format = config::LogFormat::raw;
  begin();
  say(0, "one\n");
  say(1, "two\n");
  write_all();
  EXPECT_EQ(text_of(directory + "/both.log"), "a | one\ntwo\n");
  EXPECT_EQ(printed(), "two\n") << "only b goes to both";
  int pumps = 0;
  logs->each_pump([&](const std::string&, LogPump&) { ++pumps; });
  EXPECT_EQ(pumps, 1);
}

TEST_F(LogDestinationsTest, a_file_that_nobody_uses_any_more_is_closed_when_all_is_written) {
  service("a").file = directory + "/one.log";
  service("b").file = directory + "/one.log";
  begin();
  const auto pumps = [this] {
    int count = 0;
    logs->each_pump([&](const std::string&, LogPump&) { ++count; });
    return count;
  };
  say(0, "last words\n");
  opened.erase(opened.begin());
  write_all();
  EXPECT_EQ(pumps(), 1) << "b still writes there";
  say(0, "of b\n");
  opened.clear();
  write_all();
  EXPECT_EQ(pumps(), 0);
  EXPECT_EQ(text_of(directory + "/one.log"), "a | last words\nb | of b\n");
  opened.push_back(logs->open(0, stack.services[0]));
  say(0, "again\n");
  write_all();
  EXPECT_EQ(text_of(directory + "/one.log"), "a | last words\nb | of b\na | again\n");
}

TEST_F(LogDestinationsTest, another_rotation_of_the_same_file_counts_from_then_on) {
  config::Log& log = service("a");
  log.to_stdout = false;
  log.file = directory + "/a.log";
  begin();
  say(0, std::string(3000, 'x') + "\n");
  write_all();
  EXPECT_FALSE(std::filesystem::exists(log.file + ".1"));
  log.max_size = 2000;
  log.max_files = 3;
  opened.clear();
  opened.push_back(logs->open(0, stack.services[0]));
  say(0, "small\n");
  write_all();
  EXPECT_TRUE(std::filesystem::exists(log.file + ".1"));
  EXPECT_EQ(text_of(log.file), "a | small\n");
}

TEST_F(LogDestinationsTest, files_are_opened_again_when_asked) {
  config::Log& log = service("a");
  log.file = directory + "/a.log";
  begin();
  say(0, "before\n");
  write_all();
  std::filesystem::rename(log.file, log.file + ".1");
  logs->reopen();
  say(0, "after\n");
  write_all();
  EXPECT_EQ(text_of(log.file + ".1"), "a | before\n");
  EXPECT_EQ(text_of(log.file), "a | after\n");
}

TEST_F(LogDestinationsTest, what_cannot_be_written_is_told_and_counted) {
  config::Log& log = service("a");
  log.file = directory + "/none/a.log";
  log.journald = directory + "/no.socket";
  log.to_stdout = false;
  begin();
  say(0, "one\n");
  write_all();
  const std::string all = testing::PrintToString(troubles);
  EXPECT_NE(all.find("cannot open the log file " + log.file + ": No such file or directory"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("cannot write log lines to journald at " + log.journald + ": No such file or directory"),
            std::string::npos)
      << all;
  EXPECT_NE(unwritten.find(log.file + ": 1"), std::string::npos) << unwritten;
  EXPECT_NE(unwritten.find(log.journald + ": 1"), std::string::npos) << unwritten;
}

TEST_F(LogDestinationsTest, streams_are_told_apart_where_that_is_shown) {
  EXPECT_FALSE(tells_streams_apart({}));
  config::Log as_json, to_journald, to_syslog;
  as_json.format = config::LogFormat::json;
  to_journald.journald = "/x";
  to_syslog.syslog = "/x";
  EXPECT_TRUE(tells_streams_apart(as_json));
  EXPECT_TRUE(tells_streams_apart(to_journald));
  EXPECT_TRUE(tells_streams_apart(to_syslog));
}

}  // namespace
}  // namespace belfry::daemon
