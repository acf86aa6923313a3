#include "daemon/http/api/router.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon::http {
namespace {

TEST(Router, every_fixed_path_is_found) {
  EXPECT_EQ(match("/livez").route, Route::livez);
  EXPECT_EQ(match("/readyz").route, Route::readyz);
  EXPECT_EQ(match("/startupz").route, Route::startupz);
  EXPECT_EQ(match("/healthz").route, Route::healthz);
  EXPECT_EQ(match("/metrics").route, Route::metrics);
  EXPECT_EQ(match("/v1/services").route, Route::services);
  EXPECT_EQ(match("/v1/wait").route, Route::wait);
  EXPECT_EQ(match("/v1/shutdown").route, Route::shutdown);
  EXPECT_EQ(match("/").route, Route::page);
}

TEST(Router, a_trailing_slash_means_nothing) {
  EXPECT_EQ(match("/readyz/").route, Route::readyz);
  EXPECT_EQ(match("/v1/services/").route, Route::services);
  EXPECT_EQ(match("/v1/services/db/").service, "db");
}

TEST(Router, what_is_not_in_the_table_is_unknown) {
  for (const char* path :
       {"/index.html", "/Livez", "/livezz", "/v1", "/v1/services/db/explode", "/v1/services/db/stop/now",
        "/readyz/db/extra", "/v1/services//stop", "/readyz/%zz", "//livez"}) {
    EXPECT_EQ(match(path).route, Route::unknown) << path;
  }
}

TEST(Router, a_service_name_is_decoded) {
  const Match found = match("/v1/services/my%20db%2Fone");
  EXPECT_EQ(found.route, Route::service);
  EXPECT_EQ(found.service, "my db/one");
  EXPECT_EQ(match("/readyz/d%62").service, "db");
}

TEST(Router, commands_are_named_by_the_last_segment) {
  const Match found = match("/v1/services/api/restart");
  EXPECT_EQ(found.route, Route::command);
  EXPECT_EQ(found.command, ServiceCommand::restart);
  EXPECT_EQ(found.service, "api");
}

TEST(Router, reading_takes_get_and_head_and_commands_take_post) {
  EXPECT_TRUE(allows(Route::readyz, Method::get));
  EXPECT_TRUE(allows(Route::services, Method::head));
  EXPECT_FALSE(allows(Route::readyz, Method::post));
  EXPECT_FALSE(allows(Route::command, Method::get));
  EXPECT_TRUE(allows(Route::shutdown, Method::post));
}

}  // namespace
}  // namespace belfry::daemon::http
