#include "config/model/kernel_names.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "config/model/address.hpp"

namespace belfry::config {
namespace {

TEST(Names, signals_are_known_with_and_without_prefix_and_by_number) {
  EXPECT_EQ(signal_number("SIGTERM"), SIGTERM);
  EXPECT_EQ(signal_number("USR1"), SIGUSR1);
  EXPECT_EQ(signal_number("9"), SIGKILL);
  EXPECT_EQ(signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(signal_number("RTMAX-1"), SIGRTMAX - 1);
  for (const char* bad : {"", "SIGFOO", "0", "-1", "100", "term", "SIGRTMIN-1", "SIGRTMIN+99"})
    EXPECT_FALSE(signal_number(bad)) << bad;
  for (const std::string_view name : signal_names())
    EXPECT_EQ(signal_name(signal_number(name).value()), name);
}
TEST(Names, limits_are_those_of_setrlimit) {
  EXPECT_EQ(limit_number("nofile"), RLIMIT_NOFILE);
  EXPECT_FALSE(limit_number("NOFILE"));
}
TEST(Address, host_and_port_are_told_apart) {
  EXPECT_EQ(parse_host_port("a.b:80")->host, "a.b");
  EXPECT_EQ(parse_host_port("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_host_port("[::1]:80")->port, 80);
  for (const char* bad :
       {"", "a", ":80", "a:", "a:0", "a:65536", "a:080", "::1:80", "a b:80", "a:80x", "a/b:80"})
    EXPECT_FALSE(parse_host_port(bad)) << bad;
}
TEST(Address, urls_need_a_scheme_a_host_and_a_good_port) {
  for (const char* good : {"http://a", "https://a/b?c", "http://[::1]:80/", "http+unix://%2Frun%2Fa.sock/x",
                           "HTTPS+unix://%40a"})
    EXPECT_TRUE(check_url(good)) << good;
  for (const char* bad :
       {"", "a", "ftp://a", "http://", "http:///x", "http://u:p@a:80", "http://a:0/", "http://a b/",
        "http://a:x", "http+unix://", "http+unix:///run/a.sock", "http+unix://a/b", "http+unix://%2Frun%2/"})
    EXPECT_FALSE(check_url(bad)) << bad;
}

}  // namespace
}  // namespace belfry::config
