#include "daemon/http/api/openapi.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <string>

#include "daemon/http/api/router.hpp"
#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

// JSON is YAML.
YAML::Node described() { return YAML::Load(std::string(openapi_text)); }

struct OpenApiTest : testing::Test, ApiWorld {};

TEST(OpenApi, every_path_of_the_router_is_described_and_no_other) {
  std::set<std::string> described_paths, known;
  for (const auto& path : described()["paths"]) described_paths.insert(path.first.as<std::string>());
  for (const std::string& path : path_templates()) known.insert(path);
  EXPECT_EQ(described_paths, known);
}

TEST(OpenApi, every_path_takes_the_methods_that_are_described) {
  for (const auto& path : described()["paths"]) {
    const Match found = match(path.first.as<std::string>());
    EXPECT_NE(found.route, Route::unknown) << path.first;
    EXPECT_EQ(allows(found.route, Method::get), path.second["get"].IsDefined()) << path.first;
    EXPECT_EQ(allows(found.route, Method::head), path.second["head"].IsDefined()) << path.first;
    EXPECT_EQ(allows(found.route, Method::post), path.second["post"].IsDefined()) << path.first;
  }
}

TEST(OpenApi, every_reference_leads_somewhere) {
  const YAML::Node document = described();
  const YAML::Node schemas = document["components"]["schemas"];
  constexpr std::string_view mark = "#/components/schemas/";
  for (std::size_t at = openapi_text.find(mark); at != std::string_view::npos;
       at = openapi_text.find(mark, at + 1)) {
    const std::size_t begin = at + mark.size();
    const std::string name(openapi_text.substr(begin, openapi_text.find('"', begin) - begin));
    EXPECT_TRUE(schemas[name].IsDefined()) << name;
  }
}

TEST_F(OpenApiTest, it_is_served) {
  const Response response = ask(get("/openapi.json"));
  EXPECT_EQ(response.content_type, application_json);
  EXPECT_EQ(response.body, openapi_text);
}

}  // namespace
}  // namespace belfry::daemon::http
