// hosts(5): what it says, when it is read, and what it must not do to the loop.
#include "probes/net/hosts_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/probes/net/name_rig.hpp"

namespace belfry::probes {
namespace {

using test::TemporaryFile;

std::string found(HostsFile& hosts, std::string_view name) {
  std::string all;
  for (const auto& address : hosts.find(name)) all += (all.empty() ? "" : " ") + address.to_string();
  return all;
}

TEST(HostsFile, gives_all_addresses_of_a_name_in_their_order_and_each_once) {
  const TemporaryFile file(
      "# the servers\n"
      "10.0.0.1\tdb db.example.test # not: other\n"
      "  10.0.0.2   DB\r\n"
      "10.0.0.1 db\n"
      "fd00::1 db\n"
      "nonsense db\n"
      "10.0.0.9\n");
  HostsFile hosts(file.path());
  EXPECT_EQ(found(hosts, "db"), "10.0.0.1 10.0.0.2 fd00::1");
  EXPECT_EQ(found(hosts, "Db.Example.TEST"), "10.0.0.1");
  EXPECT_EQ(found(hosts, "other"), "");
  EXPECT_EQ(found(hosts, "10.0.0.9"), "");
  EXPECT_EQ(found(hosts, ""), "");
}

TEST(HostsFile, is_read_again_when_it_has_changed) {
  const TemporaryFile file("10.0.0.1 db\n");
  HostsFile hosts(file.path());
  EXPECT_EQ(found(hosts, "db"), "10.0.0.1");
  file.write("10.0.0.22 db\n10.0.0.3 mq");
  EXPECT_EQ(found(hosts, "db"), "10.0.0.22");
  EXPECT_EQ(found(hosts, "mq"), "10.0.0.3");
  file.remove();
  EXPECT_EQ(found(hosts, "db"), "");
  file.write("10.0.0.4 db\n");
  EXPECT_EQ(found(hosts, "db"), "10.0.0.4");
}

TEST(HostsFile, a_pipe_in_its_place_does_not_hold_the_loop_up) {
  const TemporaryFile file;
  ASSERT_EQ(::mkfifo(file.path().c_str(), 0600), 0);
  HostsFile hosts(file.path());
  EXPECT_EQ(found(hosts, "db"), "");
}

TEST(HostsFile, a_hundred_thousand_lines_are_searched_by_name) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "0.0.0.0 ads-" + std::to_string(i) + ".example\n";
  const TemporaryFile file(text + "10.0.0.1 db");
  HostsFile hosts(file.path());
  EXPECT_EQ(found(hosts, "db"), "10.0.0.1");
  EXPECT_EQ(found(hosts, "ads-99999.example"), "0.0.0.0");
  EXPECT_EQ(found(hosts, "ads-100000.example"), "");
}

}  // namespace
}  // namespace belfry::probes
