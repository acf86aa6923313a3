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

struct Row {
  int family;
  std::string host;
  std::string read;
};

TEST(NumericAddress, numbers_stars_and_interfaces_are_read) {
  const Row rows[] = {
      {AF_INET, "127.0.0.1", "127.0.0.1"},
      {AF_INET, "127.1", "127.0.0.1"},
      {AF_INET6, "::1", "::1"},
      {AF_INET6, "2001:db8::2", "2001:db8::2"},
      {AF_INET, "*", "0.0.0.0"},
      {AF_INET6, "*", "::"},
      {AF_INET6, "fe80::1%lo", "fe80::1%1"},
      {AF_INET6, "fe80::1%7", "fe80::1%7"},
  };
  for (const Row& row : rows) EXPECT_EQ(written(row.family, row.host), row.read) << row.host;
}

TEST(NumericAddress, names_the_other_family_and_interfaces_that_are_not_there_are_none) {
  for (const std::string host : {"localhost", "", "127.0.0.1", "fe80::1%no-such", "fe80::1%"})
    EXPECT_EQ(written(AF_INET6, host), "none") << host;
  for (const std::string host : {"localhost", "", "::1"}) EXPECT_EQ(written(AF_INET, host), "none") << host;
}

}  // namespace
}  // namespace belfry::system
