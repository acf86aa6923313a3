#include "config/decode/env_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/document/report.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

struct Read {
  Pairs pairs;
  std::string problems;
};

Read read(std::string text) {
  Document document;
  Diagnostics diagnostics;
  Decoder decoder(
      document, diagnostics,
      [](std::string_view name) { return name == "HOST" ? std::optional<std::string>("h") : std::nullopt; },
      "/nowhere");
  diagnostics.sources().emplace_back("x.env", std::move(text));
  Read out;
  read_env_text(decoder, 0, out.pairs);
  diagnostics.finish();
  out.problems = text_of(diagnostics);
  return out;
}

TEST(EnvFile, of_later_lines_the_last_wins) {
  EXPECT_EQ(read("A=1\nB=${A}2\nA=3\n").pairs, (Pairs{{"A", "3"}, {"B", "12"}}));
}
TEST(EnvFile, a_hundred_thousand_lines_take_no_search_for_each) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "K" + std::to_string(i) + "=1\n";
  EXPECT_EQ(read(text).pairs.size(), 100'000U);
}

// ---- the files as services name them

TEST(EnvFile, lines_are_read_and_environment_wins) {
  const Directory dir;
  dir.write("a.env", "# c\n\nexport A=1\nB = two words # c\nC='$A'\nD=\"x\\n$A\"\nE=${NO:-d}\nF=a#b\n");
  const std::string file = dir.write("belfry.yaml",
                                     "services: {x: {command: a, env_file: [a.env, {path: none.env, "
                                     "required: false}], environment: {A: over}}}");
  const Loaded result = load(file);
  ASSERT_FALSE(result.diagnostics.has_errors()) << text_of(result.diagnostics);
  const auto& environment = result.stack.services[0].environment;
  EXPECT_EQ(value_of(environment, "A"), "over");
  EXPECT_EQ(value_of(environment, "B"), "two words");
  EXPECT_EQ(value_of(environment, "C"), "$A");
  EXPECT_EQ(value_of(environment, "D"), "x\n1");
  EXPECT_EQ(value_of(environment, "E"), "d");
  EXPECT_EQ(value_of(environment, "F"), "a#b");
}
TEST(Secrets, are_read_from_files_and_kept_apart) {
  const Directory dir;
  ::chmod(dir.write("pg", "s3cret\n").c_str(), 0600);
  const Loaded result =
      load(dir.write("belfry.yaml", "services: {x: {command: a, secrets: {PGPASSWORD: pg}}}"));
  ASSERT_FALSE(result.diagnostics.has_errors());
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
  EXPECT_TRUE(result.stack.services[0].environment.empty());
  EXPECT_EQ(result.stack.services[0].extras->secrets.at(0).variable, "PGPASSWORD");
  EXPECT_EQ(result.stack.services[0].extras->secrets.at(0).value, "s3cret");
}
TEST(Secrets, that_everybody_can_read_are_warned_of) {
  const Directory dir;
  ::chmod(dir.write("pg", "s3cret\n").c_str(), 0644);
  const Loaded result =
      load(dir.write("belfry.yaml", "services: {x: {command: a, secrets: {PGPASSWORD: pg}}}"));
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].rule, "open-secret");
  EXPECT_EQ(text_of(result.diagnostics).find("s3cret"), std::string::npos);
}

TEST(EnvFile, may_begin_with_a_byte_order_mark) {
  const Directory dir;
  dir.write("a.env",
            "\xEF\xBB\xBF"
            "A=1\n");
  const Loaded result = load(dir.write("belfry.yaml", "services: {x: {command: a, env_file: a.env}}"));
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
  EXPECT_EQ(result.stack.services[0].environment, (Pairs{{"A", "1"}}));
}
TEST(EnvFile, that_cannot_be_read_shows_its_place_and_none_of_its_text) {
  const Directory dir;
  dir.write("a.env", "A=1\nPASSWORD='hunter2' hunter3\n");
  const Loaded result = load(dir.write("belfry.yaml", "services: {x: {command: a, env_file: a.env}}"));
  EXPECT_TRUE(text_of(result.diagnostics).contains("/a.env:2:20: error: "));
  for (const std::string& text : {text_of(result.diagnostics), diagnostics_json(result.diagnostics),
                                  diagnostics_sarif(result.diagnostics, "1")})
    EXPECT_FALSE(text.contains("hunter")) << text;
}

// ---- `.env` beside the file

Loaded load_beside(const Directory& dir, const std::string& dot_env, const std::string& text,
                   const std::map<std::string, std::string>& variables = {}) {
  dir.write(".env", dot_env);
  LoadOptions options;
  options.environment = [variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return load(dir.write("belfry.yaml", text), options);
}

// The environment comes before the lines further up, too.
TEST(DotEnv, has_what_the_environment_has_not) {
  const Directory dir;
  const Loaded result =
      load_beside(dir, "A=1\nB=${HOST}/$A\nC=3\n", "services: {x: {command: 'run ${A} $B ${C:-9} ${D:-4}'}}",
                  {{"A", "env"}, {"HOST", "h"}});
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
  EXPECT_EQ(result.stack.services[0].command, (Command{"run", "env", "h/env", "3", "4"}));
}
TEST(DotEnv, reaches_services_only_where_they_name_it) {
  const Directory dir;
  const Loaded result =
      load_beside(dir, "A=1\nB=2\n", "services: {x: {command: a, environment: {A: }}, y: {command: a}}");
  EXPECT_EQ(result.stack.services[0].environment, (Pairs{{"A", "1"}}));
  EXPECT_TRUE(result.stack.services[1].environment.empty());
}
TEST(DotEnv, of_somebody_else_troubles_no_file_without_variables) {
  const Directory dir;
  EXPECT_TRUE(load_beside(dir, "not ours\n", "services: {x: {command: a}}").diagnostics.empty());
}
TEST(DotEnv, has_its_mistakes_told_by_place) {
  const Directory dir;
  const Loaded result = load_beside(dir, "A=1\nnot mine\n", "services: {x: {command: 'a ${A}'}}");
  EXPECT_NE(text_of(result.diagnostics).find(".env:2:4: error: "), std::string::npos);
}
TEST(DotEnv, is_read_while_another_file_is) {
  const Directory dir;
  dir.write("short.env", "X=$A\nY=2\n");
  const Loaded result =
      load_beside(dir, "A=from-dot-env\n", "services: {x: {command: a, env_file: short.env}}");
  EXPECT_TRUE(result.diagnostics.empty()) << text_of(result.diagnostics);
  EXPECT_EQ(result.stack.services[0].environment, (Pairs{{"X", "from-dot-env"}, {"Y", "2"}}));
}
TEST(DotEnv, that_is_a_directory_or_a_pipe_is_no_file_to_wait_for) {
  const Directory dir;
  const std::string file = dir.write("belfry.yaml", "services: {x: {command: 'a ${NOT_SET_ANYWHERE:-b}'}}");
  std::filesystem::create_directory(dir.path(".env"));
  EXPECT_TRUE(load(file).diagnostics.empty());
  std::filesystem::remove(dir.path(".env"));
  ASSERT_EQ(::mkfifo(dir.path(".env").c_str(), 0600), 0);
  const Loaded result = load(file);
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].severity, Severity::warning);
  EXPECT_NE(text_of(result.diagnostics).find(".env: warning: cannot read this file: it is a pipe"),
            std::string::npos)
      << text_of(result.diagnostics);
}
TEST(DotEnv, does_not_choose_profiles) {
  const Directory dir;
  const Loaded result =
      load_beside(dir, "BELFRY_PROFILES=p\n", "services: {x: {command: a}, y: {command: a, profiles: [p]}}");
  EXPECT_FALSE(result.stack.services[1].enabled);
}

// ---- what is no file

TEST(EnvFile, that_is_a_pipe_or_a_device_is_refused_at_once) {
  const Directory dir;
  ASSERT_EQ(::mkfifo(dir.path("fifo").c_str(), 0600), 0);
  for (const char* keys : {"env_file: fifo", "env_file: /dev/zero", "secrets: {A: fifo}",
                           "secrets: {A: /dev/random}", "env_file: .", "secrets: {A: .}"}) {
    const Loaded result =
        load(dir.write("belfry.yaml", std::string("services: {x: {command: a, ") + keys + "}}"));
    ASSERT_EQ(result.diagnostics.errors(), 1U) << keys;
    EXPECT_EQ(result.diagnostics[0].rule, "cannot-read");
    EXPECT_EQ(result.diagnostics[0].help, "name a regular file") << keys;
  }
}
TEST(EnvFile, that_is_huge_is_refused) {
  const Directory dir;
  dir.write("big", std::string(2U << 20U, 'x'));
  for (const char* keys : {"env_file: big", "secrets: {A: big}"}) {
    const Loaded result =
        load(dir.write("belfry.yaml", std::string("services: {x: {command: a, ") + keys + "}}"));
    ASSERT_EQ(result.diagnostics.errors(), 1U) << keys;
    EXPECT_EQ(result.diagnostics[0].help, "name a smaller file") << keys;
  }
}

}  // namespace
}  // namespace belfry::config
