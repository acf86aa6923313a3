// What `check` and the start say of rights that belfry does not have.
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <algorithm>

#include "config/model/kernel_names.hpp"
#include "daemon/host/real_host.hpp"
#include "system/capabilities.hpp"
#include "tests/system/as_nobody.hpp"

namespace belfry::daemon {
namespace {

config::Service service_with(const std::function<void(config::ServiceExtras&)>& set) {
  config::Service service;
  service.name = "x";
  service.command = {"sleep", "1"};
  service.extras = std::make_unique<config::ServiceExtras>();
  set(*service.extras);
  return service;
}

// "nice sandbox": the keys that are refused.
std::string refused(const config::Service& service) {
  RealHost host(false);
  std::string keys;
  for (const auto& one : host.what_is_refused(service)) keys.append(keys.empty() ? "" : " ").append(one.key);
  return keys;
}

TEST(Rights, both_tables_of_capabilities_have_the_same_names) {
  for (int number = -1; number <= 64; ++number)
    EXPECT_EQ(system::capability_name(number), config::capability_name(number));
}

TEST(Rights, what_only_root_can_give_is_refused_to_others_key_by_key) {
  const config::Service service = service_with([](config::ServiceExtras& extras) {
    extras.nice = -5;
    extras.oom_score_adj = -900;
    extras.io_priority = config::IoPriority{config::IoClass::realtime, 0};
    extras.capabilities = config::Capabilities{1U << CAP_NET_RAW, 0};
    extras.sandbox.emplace().private_tmp = true;
    extras.credentials.push_back({"pg", "secret"});
    extras.supplementary_groups = {"0"};
  });
  EXPECT_EQ(test::as_nobody([&] { return refused(service); }),
            "supplementary_groups capabilities nice oom_score_adj io_priority credentials sandbox");
}

TEST(Rights, what_anybody_can_give_is_refused_to_nobody) {
  const config::Service service = service_with([](config::ServiceExtras& extras) {
    extras.nice = 19;
    extras.oom_score_adj = 1000;
    extras.io_priority = config::IoPriority{config::IoClass::idle, 0};
  });
  EXPECT_EQ(test::as_nobody([&] { return refused(service); }), "");
}

TEST(Rights, another_user_is_refused_to_who_is_not_root) {
  config::Service service = service_with([](config::ServiceExtras&) {});
  service.user = std::string("root");
  EXPECT_EQ(test::as_nobody([&] { return refused(service); }), "user");
}

TEST(Rights, a_group_that_does_not_exist_is_named) {
  RealHost host(false);
  const auto refusals = host.what_is_refused(
      service_with([](config::ServiceExtras& extras) { extras.supplementary_groups = {"no-such-group"}; }));
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].why.find("unknown group \"no-such-group\""), 0U) << refusals[0].why;
}

TEST(Rights, cpus_that_are_not_there_are_refused) {
  EXPECT_EQ(refused(service_with([](config::ServiceExtras& extras) { extras.cpu_affinity = {1023}; })),
            "cpu_affinity");
}

}  // namespace
}  // namespace belfry::daemon
