#include "config/import/first_file.hpp"

#include <gtest/gtest.h>

#include "config/import/scripts.hpp"
#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

FirstFile first_of(const std::vector<std::pair<std::string, std::string>>& files,
                   std::vector<std::string> locks = {}) {
  std::vector<ImportFile> all;
  for (const auto& [name, text] : files) all.push_back({name, text, "/srv/shop"});
  return first_file(all, locks);
}
std::string errors_in(const FirstFile& file) { return errors_of(loaded_from(file.yaml)); }
std::string names_of(const std::vector<Script>& scripts) {
  std::string out;
  for (const Script& one : scripts) out += one.name + (one.needs_arguments ? "! " : " ");
  return out;
}

TEST(FirstFile, of_an_empty_directory_can_be_run_and_explains_itself) {
  const FirstFile file = first_of({});
  EXPECT_TRUE(file.from_nothing);
  EXPECT_EQ(file.services, 2U);
  EXPECT_EQ(errors_in(file), "");
}
TEST(FirstFile, is_made_of_the_better_source_and_says_what_to_do_with_the_others) {
  const FirstFile file = first_of({{"Procfile", "web: x\nworker: y\n"},
                                   {"docker-compose.yml", "services: {db: {image: postgres}}"},
                                   {"package.json", "{\"scripts\": {\"dev\": \"vite\"}}"}});
  EXPECT_EQ(file.found, (std::vector<std::string>{"Procfile: web, worker"}));
  EXPECT_EQ(file.left.size(), 2U);
  EXPECT_TRUE(file.left.at(0).starts_with("docker-compose.yml: belfry import compose docker-compose.yml"));
  EXPECT_EQ(errors_in(file), "");
}
TEST(FirstFile, adds_scripts_to_the_services_of_a_compose_file) {
  const FirstFile file =
      first_of({{"compose.yaml", "services: {dev: {command: x}, db: {command: y}}"},
                {"package.json",
                 "{\n\t\"name\": \"x\",\n\t\"scripts\": {\n\t\t\"build\": \"b\",\n\t\t\"start\": "
                 "\"s\",\n\t\t\"dev\": \"vite --port 5173\", \"worker\": \"w\"}}"},
                {"Makefile", "dev:\n\tnpm run dev\n"}},
               {"pnpm-lock.yaml"});
  EXPECT_EQ(errors_in(file), "");
  const Stack stack = loaded_from(file.yaml).stack;
  EXPECT_EQ(service(stack, "dev_2").command, (Command{"pnpm", "run", "dev"}));
  EXPECT_EQ(service(stack, "dev_2").ready.probes.at(0).kind, Probe::Kind::port);
  EXPECT_EQ(service(stack, "worker").command, (Command{"pnpm", "run", "worker"}));
  EXPECT_EQ(file.services, 4U);
  EXPECT_EQ(file.left, (std::vector<std::string>{"Makefile:1: `dev`: it may be the same again"}));
}
TEST(FirstFile, of_what_cannot_be_read_is_made_of_the_rest) {
  const FirstFile file = first_of({{"compose.yaml", "services: ["},
                                   {"package.json", "{"},
                                   {"justfile", "serve port='1':\n  ./serve {{port}}\n"}});
  EXPECT_EQ(file.found, (std::vector<std::string>{"justfile: serve"}));
  EXPECT_EQ(file.left,
            (std::vector<std::string>{"compose.yaml: not understood", "package.json: not understood"}));
  EXPECT_EQ(errors_in(file), "");
}
TEST(FirstFile, says_what_of_scripts_it_cannot_use) {
  EXPECT_EQ(first_of({{"justfile", "dev port:\n  x\n"}}).left.at(0),
            "justfile:1: `dev`: it cannot be run without arguments");
  EXPECT_EQ(first_of({{"Makefile", "all:\n\tx\n"}}).left.at(0),
            "Makefile: nothing in it is called dev, serve, start, run or worker");
}

TEST(Scripts, of_a_justfile) {
  EXPECT_EQ(names_of(just_recipes(
                "set shell := ['sh']\nx := 'a:b'\nalias d := dev\n# no: note\n@dev: build\n    run\n"
                "one a b='c:d':\ntwo *rest: (one 'x:y')\n[private]\nthree +files:\n")),
            "dev one! two three! ");
}
TEST(Scripts, of_a_makefile) {
  EXPECT_EQ(names_of(make_targets(
                ".PHONY: dev\nX := a\nY ?= b:c\nZ = d\ndev serve: all ; @./run --port=80\n\t@x: y\n%.o: %.c\n"
                "all::\r\n\techo\r\n$(X): y\n")),
            "dev serve all ");
  EXPECT_EQ(make_targets("dev: x ; @./run\n").at(0).command, "./run");
  EXPECT_EQ(make_targets("dev:\n\t@-./run\n").at(0).command, "./run");
}
TEST(Scripts, name_the_port_that_they_listen_on) {
  EXPECT_EQ(port_in("vite --host --port 5173"), "5173");
  EXPECT_EQ(port_in("PORT=3000 node ."), "3000");
  EXPECT_EQ(port_in("next dev -p 80"), "80");
  EXPECT_EQ(port_in("x --port=$PORT -p"), "");
  EXPECT_EQ(port_in("x --port 99999"), "");
}
TEST(Scripts, of_package_json_are_run_by_the_manager_that_it_names) {
  EXPECT_EQ(package_manager("{\"packageManager\": \"yarn@4.1\"}"), "yarn");
  EXPECT_EQ(package_manager("{\"packageManager\": \"rm -rf\"}"), "");
  bool readable = false;
  EXPECT_TRUE(package_scripts("[]", readable).empty());
  EXPECT_FALSE(readable);
}

}  // namespace
}  // namespace belfry::config
