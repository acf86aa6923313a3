#include "daemon/cluster/etcd/endpoints.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "daemon/cluster/etcd/version.hpp"

namespace belfry::daemon::etcd {
namespace {

using namespace std::chrono_literals;

std::string told(std::string_view text, bool within_tls = false) {
  const auto endpoint = parse_endpoint(text, within_tls);
  if (!endpoint) return endpoint.error().text();
  return endpoint->target.text() + (endpoint->within_tls ? " within TLS" : "");
}

TEST(EtcdEndpoints, a_url_says_whether_it_is_within_tls_and_a_bare_name_does_as_the_others) {
  EXPECT_EQ(told("https://e1:2380"), "e1:2380 within TLS");
  EXPECT_EQ(told("http://e1:2379/", true), "e1:2379");
  EXPECT_EQ(told("e1:2379", true), "e1:2379 within TLS");
  EXPECT_EQ(told("e1"), "e1:2379");
  EXPECT_EQ(told("https://[::1]"), "[::1]:2379 within TLS");
}

TEST(EtcdEndpoints, what_cannot_be_one_is_said) {
  EXPECT_EQ(told("redis://e1"),
            "cannot use the etcd endpoint 'redis://e1': it begins with neither http:// nor https://");
  EXPECT_EQ(told("https://me:pw@e1"),
            "cannot use the etcd endpoint 'https://me:pw@e1': user and password have keys of their own");
  EXPECT_EQ(told("http://e1/v3"),
            "cannot use the etcd endpoint 'http://e1/v3': it has a path, and gRPC has none");
  EXPECT_TRUE(told("e1:99999").starts_with("cannot use the etcd endpoint 'e1:99999': "));
  EXPECT_TRUE(told("").starts_with("cannot use the etcd endpoint ''"));
}

TEST(EtcdEndpoints, every_order_is_as_likely_as_any_other) {
  std::map<std::string, int> orders;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j) {
      std::vector<Endpoint> endpoints(3);
      for (std::size_t k = 0; k < 3; ++k)
        endpoints[k].target.host = std::string(1, static_cast<char>('a' + k));
      std::vector<double> chances{(i + 0.5) / 3, (j + 0.5) / 2};
      std::size_t next = 0;
      shuffle(endpoints, [&] { return chances.at(next++); });
      std::string order;
      for (const Endpoint& endpoint : endpoints) order += endpoint.target.host;
      ++orders[order];
    }
  EXPECT_EQ(orders.size(), 6U);
}

TEST(EtcdEndpoints, the_wait_after_a_failure_is_anything_up_to_a_bound_that_doubles_up_to_half_a_minute) {
  EXPECT_EQ(full_jitter(1, 0.0), 0s);
  EXPECT_EQ(full_jitter(1, 0.5), 500ms);
  EXPECT_EQ(full_jitter(2, 0.5), 1s);
  EXPECT_EQ(full_jitter(5, 0.5), 8s);
  EXPECT_EQ(full_jitter(6, 0.5), 15s);
  EXPECT_EQ(full_jitter(4'000'000'000U, 0.5), 15s);
}

TEST(EtcdVersion, what_is_known_to_lose_something_is_remarked) {
  for (const char* good : {"3.5.33", "3.5.40", "3.6.14", "3.6.14-rc.1", "3.7.0", "4.0.0"})
    EXPECT_EQ(remark_on_version(good), "") << good;
  for (const char* old : {"3.4.23", "3.4.45", "3.5.32", "3.5.0", "3.6.13", "3.6.0", "2.3.8"})
    EXPECT_TRUE(remark_on_version(old).starts_with("etcd " + std::string(old) + " can lose watch events"))
        << old;
  for (const char* strange : {"", "next", "3", "3.5", "3.x.1"})
    EXPECT_TRUE(remark_on_version(strange).starts_with("etcd says nothing of its version")) << strange;
}

}  // namespace
}  // namespace belfry::daemon::etcd
