#include "daemon/resources/descriptor_need.hpp"

#include "daemon/notify/own_socket.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace belfry::daemon {
namespace {

using config::Probe;
using testing::AllOf;
using testing::HasSubstr;
using testing::Optional;

config::Service plain(std::string name) {
  config::Service service;
  service.name = std::move(name);
  service.command = {"/bin/true"};
  return service;
}

config::Service ready_by(Probe::Kind kind) {
  config::Service service = plain("one");
  service.ready.probes.emplace_back().kind = kind;
  return service;
}

config::ServiceExtras& extras_of(config::Service& service) {
  if (!service.extras) service.extras = std::make_unique<config::ServiceExtras>();
  return *service.extras;
}

// What one service adds.
std::size_t held_by(config::Service service) {
  config::Stack stack;
  const std::size_t before = descriptors_needed(stack);
  stack.services.push_back(std::move(service));
  return descriptors_needed(stack) - before;
}

TEST(DescriptorNeed, a_plain_service_holds_its_log_pipe) { EXPECT_EQ(held_by(plain("one")), 1U); }

TEST(DescriptorNeed, what_never_has_a_process_holds_nothing) {
  config::Service gate = plain("gate");
  gate.command.clear();
  EXPECT_EQ(held_by(std::move(gate)), 0U);
  config::Service sleeps = plain("of another profile");
  sleeps.enabled = false;
  EXPECT_EQ(held_by(std::move(sleeps)), 0U);
}

TEST(DescriptorNeed, each_way_of_being_ready_holds_what_it_listens_with) {
  EXPECT_EQ(held_by(ready_by(Probe::Kind::notify)), 2U);
  EXPECT_EQ(held_by(ready_by(Probe::Kind::fd)), 2U);
  EXPECT_EQ(held_by(ready_by(Probe::Kind::port)), 2U);
  EXPECT_EQ(held_by(ready_by(Probe::Kind::unix_socket)), 2U);
  EXPECT_EQ(held_by(ready_by(Probe::Kind::tcp)), 1U) << "a connection comes and goes";
}

TEST(DescriptorNeed, who_runs_as_another_user_has_a_socket_of_its_own) {
  config::Service service = plain("one");
  service.user = std::string("nobody");
  EXPECT_EQ(held_by(std::move(service)), 2U);
}

TEST(DescriptorNeed, a_small_limit_is_enough_for_a_small_stack) {
  config::Stack stack;
  stack.services.push_back(plain("one"));
  EXPECT_EQ(shortage_of_descriptors(stack, 64), std::nullopt);
}

TEST(DescriptorNeed, own_bells_count_as_readiness_does) {
  config::Service service = plain("one");
  extras_of(service).bells.emplace_back().probes.probes.emplace_back().kind = Probe::Kind::notify;
  EXPECT_TRUE(wants_own_notify_socket(service));
  EXPECT_EQ(held_by(std::move(service)), 2U);
}

TEST(DescriptorNeed, sockets_and_stored_descriptors_count_and_an_inherited_log_does_not) {
  config::Service service = plain("one");
  extras_of(service).listen.resize(3);
  extras_of(service).log.inherit = true;
  EXPECT_EQ(held_by(std::move(service)), 3U);
  config::Service keeps = plain("two");
  extras_of(keeps).fd_store = 5;
  EXPECT_EQ(held_by(std::move(keeps)), 7U) << "log, notify socket and five";
}

TEST(DescriptorNeed, clients_get_three_quarters_of_what_the_stack_leaves_within_bounds) {
  config::Stack stack;
  stack.services.push_back(plain("one"));
  const std::size_t needed = descriptors_needed(stack);
  EXPECT_EQ(connections_for_clients(stack, needed + 10'000), 7'500U);
  EXPECT_EQ(connections_for_clients(stack, 1'000'000), 20'480U);
  EXPECT_EQ(connections_for_clients(stack, 256), 1'024U);
}

TEST(DescriptorNeed, a_limit_that_is_enough_is_not_mentioned) {
  config::Stack stack;
  stack.services.push_back(plain("one"));
  EXPECT_EQ(shortage_of_descriptors(stack, descriptors_needed(stack)), std::nullopt);
}

TEST(DescriptorNeed, a_limit_below_it_is_named_with_both_numbers_and_what_to_do) {
  config::Stack stack;
  for (int i = 0; i < 300; ++i) stack.services.push_back(ready_by(Probe::Kind::notify));
  stack.services.emplace_back().name = "a gate, which is not counted";
  EXPECT_THAT(
      shortage_of_descriptors(stack, 256),
      Optional(AllOf(HasSubstr("cannot run all of 300 services at once"), HasSubstr("647 descriptors"),
                     HasSubstr("the limit is 256"), HasSubstr("ulimit -n"))));
}

}  // namespace
}  // namespace belfry::daemon
