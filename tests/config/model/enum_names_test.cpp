#include "config/model/enum_names.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

TEST(EnumNames, of_probe_kinds_lead_back_to_them) {
  for (const std::string_view name : probe_kind_names()) EXPECT_EQ(name_of(*probe_kind_named(name)), name);
  EXPECT_EQ(probe_kind_named("unix"), Probe::Kind::unix_socket);
  EXPECT_EQ(name_of(Probe::Kind::cluster), "cluster");
  EXPECT_FALSE(probe_kind_named("any"));
}

TEST(EnumNames, of_types_and_losses_have_the_order_of_their_enumeration) {
  for (const std::string_view name : service_type_names())
    EXPECT_EQ(name_of(*service_type_named(name)), name);
  EXPECT_EQ(name_of(ServiceType::external), "external");
  EXPECT_EQ(on_loss_names()[static_cast<std::size_t>(OnLoss::restart)], "restart");
  EXPECT_EQ(name_of(OnLoss::stop), "stop");
}

TEST(EnumNames, of_conditions_are_ours_or_another_tools) {
  for (const std::string_view name : condition_names()) {
    EXPECT_EQ(name_of(*condition_named(name)), name);
    EXPECT_EQ(condition_spelled(name), condition_named(name));
  }
  EXPECT_EQ(condition_named("service_healthy"), std::nullopt);
  EXPECT_EQ(condition_spelled("service_healthy"), Condition::ready);
  EXPECT_EQ(condition_spelled("process_completed"), Condition::stopped);
  EXPECT_EQ(condition_spelled("own bell"), std::nullopt);
  EXPECT_EQ(name_of(Condition::own_bell), "own bell");
}

}  // namespace
}  // namespace belfry::config
