// Realistic files of other tools; what becomes of them lies beside them as NAME.belfry.yaml, and
// what was left behind as NAME.left.
#include "config/import/import.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/import/writer.hpp"
#include "config/load.hpp"

namespace belfry::config {
namespace {

std::string const directory = std::string(BELFRY_SOURCE_DIR) + "/tests/config/import/";

std::string contents(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void expect_golden(std::string const& path, std::string const& text) {
  if (std::getenv("BELFRY_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(contents(path), text);
}

Loaded loaded_from(std::string const& yaml) {
  LoadOptions options;
  options.environment = [](std::string_view) { return std::nullopt; };
  return load_text(yaml, "/nowhere/imported.yaml", options);
}

std::string errors_of(Loaded const& loaded) {
  std::ostringstream out;
  for (Diagnostic const& one : loaded.diagnostics)
    if (one.severity == Severity::error && one.rule != "cannot-read")
      print(one, loaded.diagnostics.sources(), out);
  return out.str();
}

void expect_import(Imported (*import)(std::string_view, std::string), std::string const& name) {
  Imported const imported = import(contents(directory + name), name);
  std::ostringstream left;
  for (Diagnostic const& one : imported.diagnostics) print(one, imported.diagnostics.sources(), left);
  expect_golden(directory + name + ".belfry.yaml", imported.yaml);
  expect_golden(directory + name + ".left", left.str());
  EXPECT_FALSE(imported.diagnostics.has_errors());
  EXPECT_EQ(errors_of(loaded_from(imported.yaml)), "") << imported.yaml;
}

Service const& service(Stack const& stack, std::string_view name) {
  for (Service const& one : stack.services)
    if (one.name == name) return one;
  throw std::runtime_error("no service " + std::string(name));
}

TEST(Import, carries_a_compose_stack_over) { expect_import(import_compose, "shop.compose.yaml"); }
TEST(Import, carries_a_process_compose_stack_over) {
  expect_import(import_process_compose, "shop.process-compose.yaml");
}
TEST(Import, carries_a_procfile_over) { expect_import(import_procfile, "rails.Procfile"); }

TEST(Import, makes_what_must_complete_a_oneshot) {
  Imported const imported = import_compose(
      "services: {a: {command: x}, b: {command: y, depends_on: {a: {condition: "
      "service_completed_successfully}}}}",
      "c");
  Loaded const loaded = loaded_from(imported.yaml);
  EXPECT_EQ(service(loaded.stack, "a").type, ServiceType::oneshot);
  EXPECT_EQ(service(loaded.stack, "b").depends_on.at(0).condition, Condition::completed);
}

TEST(Import, keeps_compose_s_default_of_not_restarting) {
  Loaded const loaded = loaded_from(import_compose("services: {a: {command: x}}", "c").yaml);
  EXPECT_EQ(service(loaded.stack, "a").restart.policy, RestartPolicy::no);
}

TEST(Import, takes_the_port_inside_the_container) {
  Loaded const loaded = loaded_from(
      import_compose("services: {a: {command: x, ports: ['127.0.0.1:${P:-80}:8080/tcp']}}", "c").yaml);
  ASSERT_EQ(service(loaded.stack, "a").ready.probes.size(), 1U);
  EXPECT_EQ(service(loaded.stack, "a").ready.probes[0].port, 8080);
}

TEST(Import, runs_process_compose_commands_through_a_shell_only_where_one_is_needed) {
  Loaded const loaded = loaded_from(
      import_process_compose("processes: {a: {command: 'x y'}, b: {command: 'x $HOME | y'}}", "p").yaml);
  EXPECT_EQ(service(loaded.stack, "a").command, (Command{"x", "y"}));
  EXPECT_EQ(service(loaded.stack, "b").command, (Command{"sh", "-c", "x $HOME | y"}));
}

TEST(Import, leaves_the_second_of_two_services_with_one_container_port_to_a_person) {
  Imported const imported =
      import_compose("services: {a: {command: x, ports: ['81:80']}, b: {command: y, ports: ['82:80']}}", "c");
  EXPECT_EQ(errors_of(loaded_from(imported.yaml)), "");
  EXPECT_NE(imported.yaml.find("# decide: port 80"), std::string::npos);
}

TEST(Import, keeps_one_main_service) {
  Imported const imported = import_process_compose(
      "processes: {a: {command: x, availability: {exit_on_end: true}}, b: {command: y, availability: "
      "{exit_on_end: true}}}",
      "p");
  Loaded const loaded = loaded_from(imported.yaml);
  EXPECT_EQ(errors_of(loaded), "");
  EXPECT_TRUE(service(loaded.stack, "a").main);
  EXPECT_TRUE(service(loaded.stack, "b").essential);
}

TEST(Import, makes_edges_to_disabled_processes_optional) {
  EXPECT_EQ(errors_of(loaded_from(
                import_process_compose("processes: {a: {command: x, disabled: true}, b: {command: y, "
                                       "depends_on: {a: {condition: process_started}}}}",
                                       "p")
                    .yaml)),
            "");
}

TEST(Import, gives_scripts_of_several_lines_and_shell_words_to_a_shell) {
  for (char const* line : {"cd /x", "a\nb", "ls [ab]", "run # note", "if true", "A=b run"})
    EXPECT_TRUE(shell_command(line).starts_with("[sh, -c, ")) << shell_command(line);
  EXPECT_EQ(shell_command("run 'a b'\n"), "[run, \"a b\"]");
}

TEST(Import, says_which_line_of_a_procfile_is_wrong) {
  Imported const imported = import_procfile("web: a\nno colon here\n", "Procfile");
  ASSERT_TRUE(imported.diagnostics.has_errors());
  EXPECT_EQ(imported.diagnostics[0].where.line, 2U);
  EXPECT_TRUE(imported.yaml.empty());
}

TEST(Import, refuses_what_is_not_the_right_kind_of_file) {
  EXPECT_TRUE(import_compose("processes: {}", "c").diagnostics.has_errors());
  EXPECT_TRUE(import_process_compose("services: {}", "c").diagnostics.has_errors());
  EXPECT_TRUE(import_procfile("", "Procfile").diagnostics.has_errors());
  EXPECT_TRUE(import_compose("- a", "c").diagnostics.has_errors());
}

TEST(ImportWriter, quotes_what_yaml_would_read_otherwise) {
  EXPECT_EQ(yaml_text("plain"), "plain");
  EXPECT_EQ(yaml_text("no"), "\"no\"");
  EXPECT_EQ(yaml_text("010"), "\"010\"");
  EXPECT_EQ(yaml_text("a: b"), "\"a: b\"");
  EXPECT_EQ(yaml_text(""), "\"\"");
}

}  // namespace
}  // namespace belfry::config
