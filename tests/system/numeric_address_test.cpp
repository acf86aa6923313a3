#include "system/numeric_address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace belfry::system {
namespace {

std::string written(int family, const std::string& host) {
  const auto found = numeric_address(family, host, 8080);
  if (!found) return "none";
  char text[INET6_ADDRSTRLEN] = {};
  if (family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(found->storage);
    EXPECT_EQ(found->size, sizeof address);
    EXPECT_EQ(ntohs(address.sin_port), 8080);
    ::inet_ntop(family, &address.sin_addr, text, sizeof text);
    return text;
  }
  const auto& address = reinterpret_cast<const sockaddr_in6&>(found->storage);
  EXPECT_EQ(found->size, sizeof address);
  EXPECT_EQ(ntohs(address.sin6_port), 8080);
  ::inet_ntop(family, &address.sin6_addr, text, sizeof text);
  return std::string(text) + (address.sin6_scope_id != 0 ? "%" + std::to_string(address.sin6_scope_id) : "");
}

TEST(NumericAddress, numbers_of_both_families_are_read) {
  EXPECT_EQ(written(AF_INET, "127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(written(AF_INET, "127.1"), "127.0.0.1");
  EXPECT_EQ(written(AF_INET6, "::1"), "::1");
  EXPECT_EQ(written(AF_INET6, "2001:db8::2"), "2001:db8::2");
}

TEST(NumericAddress, a_star_is_every_address) {
  EXPECT_EQ(written(AF_INET, "*"), "0.0.0.0");
  EXPECT_EQ(written(AF_INET6, "*"), "::");
}

TEST(NumericAddress, an_interface_is_a_name_or_a_number) {
  EXPECT_EQ(written(AF_INET6, "fe80::1%lo"), "fe80::1%1");
  EXPECT_EQ(written(AF_INET6, "fe80::1%7"), "fe80::1%7");
  EXPECT_EQ(written(AF_INET6, "fe80::1%no-such"), "none");
  EXPECT_EQ(written(AF_INET6, "fe80::1%"), "none");
}

TEST(NumericAddress, names_and_the_other_family_are_none) {
  EXPECT_EQ(written(AF_INET, "localhost"), "none");
  EXPECT_EQ(written(AF_INET6, "localhost"), "none");
  EXPECT_EQ(written(AF_INET, "::1"), "none");
  EXPECT_EQ(written(AF_INET6, "127.0.0.1"), "none");
  EXPECT_EQ(written(AF_INET, ""), "none");
  EXPECT_EQ(written(AF_INET6, ""), "none");
}

}  // namespace
}  // namespace belfry::system
