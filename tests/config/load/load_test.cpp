// From files and texts to a stack: which file, several of them, all mistakes at once.
#include "config/load/load.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;
namespace fs = std::filesystem;

TEST(LoadFiles, later_files_win_key_by_key) {
  const Directory dir;
  const std::string base =
      dir.write("base.yaml",
                "name: base\nservices: {a: {command: x, user: u, environment: {A: '1'}}, b: {command: y}}");
  fs::create_directory(dir.path() / "over");
  const std::string over = dir.write(
      "over/over.yaml", "services: {a: {user: v, environment: {B: '2'}, working_dir: w}, c: {command: z}}");
  const Loaded result = load(std::vector<std::string>{base, over});
  ASSERT_FALSE(result.diagnostics.has_errors()) << text_of(result.diagnostics);
  EXPECT_EQ(result.stack.name, "base");
  EXPECT_EQ(result.stack.services.size(), 3U);
  const Service& a = service(result.stack, "a");
  EXPECT_EQ(*a.user, "v");
  EXPECT_EQ(a.environment.size(), 2U);
  EXPECT_EQ(a.working_dir.str(), (dir.path() / "w").string());
  EXPECT_EQ(service(result.stack, "c").place.file, 1U);
}
TEST(LoadFiles, mistakes_of_several_files_come_together) {
  const Directory dir;
  const Loaded result =
      load(std::vector<std::string>{dir.write("a.yaml", "services: {a: {command: x, usr: u}}"),
                                    dir.write("b.yaml", "services: {b: {comand: x}}")});
  const std::string text = text_of(result.diagnostics);
  EXPECT_NE(text.find("a.yaml:1:28"), std::string::npos) << text;
  EXPECT_NE(text.find("b.yaml:1:16"), std::string::npos) << text;
}
TEST(LoadFiles, a_file_that_is_not_there_is_an_error_of_its_own) {
  const Loaded result = load("/no/such/file.yaml");
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].rule, "cannot-read");
}
TEST(Load, six_mistakes_give_six_messages) {
  const Loaded result = loaded(
      "nmae: x\nservices:\n  a: {comand: x, command: x, depends_on: [bb]}\n  b: {command: x, stop: {timeout: "
      "5}, depends_on: [c]}\n  c: {command: x, depends_on: [b], type: demon}\n");
  EXPECT_EQ(result.diagnostics.errors(), 6U) << text_of(result.diagnostics);
}
TEST(Load, the_example_of_the_contract_is_free_of_errors) {
  EXPECT_NO_THROW(good(
      "name: shop\nhttp: {listen: 127.0.0.1:9600}\ncontrol: {socket: /run/belfry/shop.sock}\nshutdown: "
      "{timeout: 25s, delay: 0s}\ndefaults:\n  restart: on-failure\nservices:\n  db:\n"
      "    command: [postgres, -D, /var/lib/pg]\n    user: postgres\n    ready: {postgres: host=127.0.0.1 "
      "dbname=postgres}\n    stop: {signal: SIGINT, timeout: 20s}\n  migrate:\n    type: oneshot\n"
      "    command: ./migrate.sh\n    depends_on: [db]\n  api:\n    command: ./api --port 8080\n    "
      "environment: {DATABASE_URL: \"${DATABASE_URL:-postgres:///postgres}\"}\n"
      "    depends_on: {migrate: completed, cache: {condition: ready, on_loss: restart}}\n    ready: {port: "
      "8080}\n    live: {http: \"http://127.0.0.1:8080/health\", period: 10s, timeout: 2s, "
      "failure_threshold: 3}\n"
      "    restart: {policy: on-failure, delay: 100ms, max_delay: 30s, factor: 2, jitter: 0.2, limit: 10 per "
      "5m}\n  cache:\n    command: redis-server --port 6379\n    ready: {redis: 127.0.0.1:6379}\n"));
}
TEST(Load, a_byte_order_mark_is_not_part_of_the_text) {
  EXPECT_EQ(good("\xEF\xBB\xBFservices: {x: {command: a}}").services.size(), 1U);
}
TEST(Load, ten_thousand_wrong_services_are_told_in_bounded_space) {
  std::string text = "services:\n";
  for (int i = 0; i < 10'000; ++i)
    text += "  s" + std::to_string(i) + ": {command: x, depends_on: [nobody" + std::to_string(i) + "]}\n";
  const Loaded result = loaded(text);
  EXPECT_EQ(result.diagnostics.size(), Diagnostics::most);
  EXPECT_EQ(result.diagnostics.errors(), 10'000U);
}
TEST(FindFile, prefers_what_was_asked_for) { EXPECT_EQ(find_file("/no/such"), "/no/such"); }
TEST(FindFile, looks_in_the_current_directory) {
  const Directory dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  dir.write("belfry.yml", "");
  EXPECT_EQ(find_file(), "belfry.yml");
  dir.write("belfry.yaml", "");
  EXPECT_EQ(find_file(), "belfry.yaml");
  fs::current_path(before);
}
TEST(FindFile, does_not_call_absent_what_it_cannot_look_at) {
  const Directory dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  fs::create_symlink("belfry.yaml", "belfry.yaml");
  EXPECT_EQ(find_file(), "belfry.yaml");
  fs::current_path(before);
}

}  // namespace
}  // namespace belfry::config
