#include "system/launch.hpp"

#include <gtest/gtest.h>

namespace belfry::system {
namespace {

std::vector<std::string> listed(const StringBlock& block) {
  std::vector<std::string> all;
  block.each([&](const char* text) { all.emplace_back(text); });
  return all;
}

TEST(StringBlock, keeps_strings_in_order_and_removes_by_name) {
  StringBlock block;
  block.add("A", "1");
  block.add("AB", "2");
  block.add("A", "3");
  block.remove("A");
  EXPECT_EQ(listed(block), std::vector<std::string>{"AB=2"});
  EXPECT_EQ(block.get("AB"), "2");
  EXPECT_EQ(block.get("A"), std::nullopt);
}

TEST(StringBlock, a_zero_byte_ends_a_string_as_it_would_in_the_kernel) {
  StringBlock block;
  block.add(std::string_view("a\0b", 3));
  block.add("c");
  EXPECT_EQ(listed(block), (std::vector<std::string>{"a", "c"}));
}

TEST(BaseEnvironment, keeps_what_is_said_to_belfry_alone_from_its_services) {
  const char* given[] = {"HOME=/root",         "NOTIFY_SOCKET=/run/x",
                         "LISTEN_FDS=1",       "LISTEN_PID=1",
                         "WATCHDOG_PID=1",     "WATCHDOG_USEC=1",
                         "LISTEN_FDNAMES=a",   "BELFRY_SOCKET=/x",
                         "LISTEN_ADDR=a",      "BELFRY_SERVICE=a/b#1",
                         "LISTEN_PIDFDID=7",   "FDSTORE=512",
                         "PATH=/usr/bin:/bin", nullptr};
  auto base = BaseEnvironment::inherited(given);
  std::vector<std::string> left(base->entries().begin(), base->entries().end());
  EXPECT_EQ(left, (std::vector<std::string>{"HOME=/root", "LISTEN_ADDR=a", "PATH=/usr/bin:/bin"}));
}

TEST(BaseEnvironment, the_empty_one_has_nothing) { EXPECT_TRUE(BaseEnvironment::empty()->entries().empty()); }

TEST(Launch, the_marker_is_kept_as_its_value) {
  Launch launch;
  EXPECT_EQ(launch.marker(), "");
  launch.set_marker("shop/db#1");
  launch.set_marker("shop/db#2");
  EXPECT_EQ(launch.marker(), "shop/db#2");
}

TEST(Launch, names_its_command_as_it_was_written) {
  Launch launch;
  EXPECT_EQ(launch.command(), "");
  launch.set_command(std::vector<std::string>{"./api", "--port", "80"});
  EXPECT_EQ(launch.command(), "./api");
}

}  // namespace
}  // namespace belfry::system
