// Realistic files of other tools; what becomes of them lies beside them as NAME.belfry.yaml, and what was
// left behind as NAME.left. BELFRY_UPDATE_GOLDEN=1 rewrites both; read the difference before you commit it.
#include "config/import/import.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "config/import/writer.hpp"
#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;
namespace fs = std::filesystem;

const fs::path directory = fs::path(BELFRY_SOURCE_DIR) / "tests/config/import";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void expect_golden(const std::string& path, const std::string& text) {
  if (std::getenv("BELFRY_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(contents(path), text);
}

// A directory is one source of several files.
std::vector<ImportFile> files_in(const fs::path& path) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<ImportFile> files;
  for (const fs::path& one : paths)
    files.push_back({one.lexically_relative(directory).string(), contents(one), "/srv/project"});
  return files;
}

Imported import_of(const std::string& name) {
  if (fs::is_directory(directory / name)) return import_units(files_in(directory / name));
  const std::string text = contents(directory / name);
  if (name.ends_with(".process-compose.yaml")) return import_process_compose(text, name, "/srv/project");
  if (name.ends_with(".compose.yaml")) return import_compose(text, name, "/srv/project");
  if (name.ends_with(".supervisord.conf")) {
    const ImportFile file{name, text, "/srv/project"};
    return import_supervisord(std::span(&file, 1));
  }
  return import_procfile(text, name);
}

std::vector<std::string> samples() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("compose.yaml") || name.ends_with("Procfile") || name.ends_with(".conf") ||
        entry.is_directory())
      names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

class ImportSample : public testing::TestWithParam<std::string> {};

TEST_P(ImportSample, becomes_the_expected_file_and_says_what_it_left) {
  const Imported import = import_of(GetParam());
  EXPECT_FALSE(import.diagnostics.has_errors());
  expect_golden(directory / (GetParam() + ".belfry.yaml"), import.yaml);
  expect_golden(directory / (GetParam() + ".left"), text_of(import.diagnostics));
}

// But for what the environment must bring: variables with `:?`.
TEST_P(ImportSample, is_a_belfry_file_without_errors) {
  LoadOptions options;
  options.free_ports = testing_support::fake_free_ports;
  options.environment = [](std::string_view) { return std::optional<std::string>("1"); };
  const Loaded loaded = load_text(import_of(GetParam()).yaml, "/nowhere/imported.yaml", options);
  EXPECT_EQ(errors_of(loaded), "");
  EXPECT_GE(loaded.stack.services.size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(, ImportSample, testing::ValuesIn(samples()), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
});

TEST(Import, refuses_what_is_not_the_right_kind_of_file) {
  EXPECT_TRUE(import_compose("processes: {}", "c").diagnostics.has_errors());
  EXPECT_TRUE(import_process_compose("services: {}", "c").diagnostics.has_errors());
  EXPECT_TRUE(import_procfile("", "Procfile").diagnostics.has_errors());
  EXPECT_TRUE(import_compose("- a", "c").diagnostics.has_errors());
  EXPECT_TRUE(import_compose("services: {}", "c").diagnostics.has_errors());
}
TEST(Import, gives_names_that_clean_alike_names_of_their_own) {
  const Imported import = import_process_compose(
      "processes: {'a b': {command: x}, 'a/b': {command: y, depends_on: {'a b': {condition: "
      "process_started}, a_b: {condition: process_started}}}, a_b: {command: z}}",
      "p");
  const Stack stack = imported(import);
  EXPECT_EQ(service(stack, "a_b").command, Command{"z"});  // it has the name already
  EXPECT_EQ(service(stack, "a_b_2").command, Command{"x"});
  EXPECT_EQ(service(stack, "a_b_3").depends_on.at(0).service, "a_b_2");
  EXPECT_EQ(service(stack, "a_b_3").depends_on.at(1).service, "a_b");
  EXPECT_TRUE(import.yaml.contains("# `a/b` in the source"));
}
TEST(Import, warns_of_tags_and_goes_on) {
  const Imported import = import_compose("services: {a: {command: x, ports: !reset []}}", "c");
  EXPECT_TRUE(says(import, "the tag `!reset` is not carried over"));
  EXPECT_EQ(imported(import).services.size(), 1U);
}

TEST(ImportWriter, quotes_what_yaml_would_read_otherwise) {
  EXPECT_EQ(yaml_text("plain"), "plain");
  EXPECT_EQ(yaml_text("no"), "\"no\"");
  EXPECT_EQ(yaml_text("010"), "\"010\"");
  EXPECT_EQ(yaml_text("a: b"), "\"a: b\"");
  EXPECT_EQ(yaml_text(""), "\"\"");
}
const std::vector<std::string> sh{"sh", "-c"};
constexpr DoubleDollar escape = DoubleDollar::escape;

TEST(ImportWriter, gives_scripts_of_several_lines_and_shell_words_to_a_shell) {
  for (const char* line : {"cd /x", "a\nb", "ls [ab]", "run # note", "if true", "A=b run", "exit 3",
                           "[[ -f x ]]", "echo \"`date`\"", "cp a.{x,y}", "command -v x", "time make"})
    EXPECT_TRUE(shell_command(line, sh, escape).starts_with("[sh, -c, ")) << line;
  EXPECT_EQ(shell_command("run 'a b'\n", sh, escape), "[run, \"a b\"]");
  EXPECT_EQ(shell_command("a | b", {"zsh", "-ec"}, escape), "[zsh, -ec, \"a | b\"]");
}
TEST(ImportWriter, a_double_dollar_is_an_escape_or_what_the_shell_makes_of_it) {
  EXPECT_EQ(shell_command("echo $$ $A", sh, escape), "[sh, -c, \"echo $$ $$A\"]");
  EXPECT_EQ(shell_command("echo $$ $A", sh, DoubleDollar::of_the_shell), "[sh, -c, \"echo $$$$ $$A\"]");
}
TEST(ImportWriter, paths_count_from_the_working_directory) {
  EXPECT_EQ(path_from("", ".env", "/p"), ".env");
  EXPECT_EQ(path_from(".", ".env", "/p"), ".env");
  EXPECT_EQ(path_from("./api", "./.env", "/p"), "../.env");
  EXPECT_EQ(path_from("api/v1", "api/.env", "/p"), "../.env");
  EXPECT_EQ(path_from("/srv/app", "./.env", "/p"), "/p/.env");
  EXPECT_EQ(path_from("/srv/app", ".env", ""), ".env");
  EXPECT_EQ(path_from("../other", ".env", "/p"), "/p/.env");
  EXPECT_EQ(path_from("../other", ".env", ""), ".env");  // nobody knows the way back
  EXPECT_EQ(path_from("api", "${HOME}/x", "/p"), "${HOME}/x");
  EXPECT_EQ(path_from("api", "/etc/x", "/p"), "/etc/x");
}
TEST(ImportWriter, durations_are_carried_if_they_are_some) {
  bool bad = false;
  EXPECT_EQ(duration_value("1m30s", bad), "1m30s");
  EXPECT_EQ(duration_value("${T:-5s}", bad), "\"${T:-5s}\"");
  EXPECT_EQ(duration_value("0s", bad), "");
  EXPECT_EQ(duration_value("", bad), "");
  EXPECT_FALSE(bad);
  EXPECT_EQ(duration_value("30", bad), "");
  EXPECT_TRUE(bad);
}

}  // namespace
}  // namespace belfry::config
