#include "probes/listen_monitor/method.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace belfry::probes {
namespace {

using config::OnDaemonDeath;
using config::Probe;

constexpr system::ListenNotifierRights admin{.admin = true, .no_new_privileges = false};
constexpr system::ListenNotifierRights none{};

config::Service service_with(Probe::Kind kind, bool udp = false) {
  config::Service service;
  Probe& probe = service.ready.probes.emplace_back();
  probe.kind = kind;
  probe.udp = udp;
  return service;
}

config::ServiceExtras& extras_of(config::Service& service) {
  service.extras = std::make_unique<config::ServiceExtras>();
  return *service.extras;
}

TEST(ListenMethod, only_port_and_unix_probes_await_a_socket_of_the_service) {
  EXPECT_TRUE(awaits_listen(service_with(Probe::Kind::port)));
  EXPECT_TRUE(awaits_listen(service_with(Probe::Kind::unix_socket)));
  EXPECT_FALSE(awaits_listen(service_with(Probe::Kind::tcp)));
  EXPECT_FALSE(awaits_listen({}));
  EXPECT_FALSE(awaits_bind(service_with(Probe::Kind::port)));
  EXPECT_TRUE(awaits_bind(service_with(Probe::Kind::port, true)));
}

TEST(ListenMethod, a_probe_of_an_own_bell_counts) {
  config::Service service;
  extras_of(service).bells.push_back(
      {.name = "up", .probes = std::move(service_with(Probe::Kind::port).ready)});
  EXPECT_TRUE(awaits_listen(service));
}

TEST(ListenMethod, the_capability_or_no_new_privileges_allows_it) {
  config::Service service = service_with(Probe::Kind::port);
  EXPECT_EQ(why_no_notifier(service, OnDaemonDeath::kill, admin, false), "");
  EXPECT_EQ(why_no_notifier(service, OnDaemonDeath::kill, {.admin = false, .no_new_privileges = true}, false),
            "");
  EXPECT_EQ(why_no_notifier(service, OnDaemonDeath::kill, none, false),
            "no CAP_SYS_ADMIN; add no_new_privileges: true");
  extras_of(service).no_new_privileges = true;
  EXPECT_EQ(why_no_notifier(service, OnDaemonDeath::kill, none, false), "");
}

TEST(ListenMethod, what_outlives_belfry_or_starts_below_another_process_is_asked) {
  config::Service service = service_with(Probe::Kind::port);
  EXPECT_EQ(why_no_notifier(service, OnDaemonDeath::keep, admin, false), "on_daemon_death: keep");
  EXPECT_EQ(why_no_notifier(service, OnDaemonDeath::kill, admin, true), "isolate: true");
}

TEST(ListenMethod, a_refusal_is_told_in_words) {
  EXPECT_EQ(why_notifier_refused(EACCES), "no CAP_SYS_ADMIN; add no_new_privileges: true");
  EXPECT_EQ(why_notifier_refused(EBUSY), "another listener is set above belfry");
  EXPECT_EQ(why_notifier_refused(ENOSYS), "the kernel has no seccomp notification");
  EXPECT_EQ(why_notifier_refused(EMFILE), "no descriptor was left");
  EXPECT_EQ(why_notifier_refused(system::no_shared_table), "the descriptor table could not be shared");
}

TEST(ListenMethod, what_holds_for_all_services_is_not_tried_again) {
  EXPECT_TRUE(is_refused_for_good(EBUSY));
  EXPECT_TRUE(is_refused_for_good(ENOSYS));
  EXPECT_FALSE(is_refused_for_good(EMFILE));
  EXPECT_FALSE(is_refused_for_good(system::no_shared_table));
}

}  // namespace
}  // namespace belfry::probes
