#include "cli/options.hpp"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "cli/foreign_words.hpp"
#include "cli/help.hpp"
#include "cli/manual.hpp"
#include "config/model/exit_codes.hpp"
#include "text/width.hpp"

namespace belfry::cli {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Invocation asked(std::vector<std::string> arguments) {
  const auto parsed = parse(std::move(arguments));
  if (!parsed) {
    ADD_FAILURE() << parsed.error().message;
    return {};
  }
  return std::get<Invocation>(*parsed);
}

Failure refused(std::vector<std::string> arguments) {
  const auto parsed = parse(std::move(arguments));
  if (!parsed) return parsed.error();
  ADD_FAILURE() << "it was understood";
  return {};
}

TEST(Options, a_service_may_follow_a_file) {
  const Invocation run = asked({"run", "-c", "a.yaml", "-c", "b.yaml", "api", "db", "--profile", "x"});
  EXPECT_EQ(run.command, "run");
  EXPECT_THAT(run.files, ElementsAre("a.yaml", "b.yaml"));
  EXPECT_THAT(run.names, ElementsAre("api", "db"));
  EXPECT_THAT(run.profiles, ElementsAre("x"));
}

TEST(Options, what_stands_behind_the_dashes_is_left_alone) {
  const Invocation exec =
      asked({"exec", "--timeout", "90s", "--logs", "-", "api", "--", "sh", "-c", "exit 3", "--", "--help"});
  EXPECT_EQ(exec.timeout, Duration(90s));
  EXPECT_EQ(exec.logs, "-");
  EXPECT_THAT(exec.names, ElementsAre("api"));
  EXPECT_THAT(exec.program, ElementsAre("sh", "-c", "exit 3", "--", "--help"));
}

TEST(Options, wait_takes_targets_options_and_a_command) {
  const Invocation wait =
      asked({"wait", "--timeout", "none", "--any", "--not", "-q", "db:5432", "--header", "A: b", "--header",
             "C: d", "http://web/", "--for", "completed", "--", "./serve", "--fast"});
  EXPECT_EQ(wait.timeout, std::nullopt);
  EXPECT_TRUE(wait.wait.any && wait.wait.negated && wait.wait.quiet);
  EXPECT_THAT(wait.names, ElementsAre("db:5432", "http://web/"));
  EXPECT_THAT(wait.wait.headers, ElementsAre("A: b", "C: d"));
  EXPECT_EQ(wait.condition, "completed");
  EXPECT_THAT(wait.program, ElementsAre("./serve", "--fast"));
  EXPECT_EQ(asked({"wait", "db", "--condition", "stopped"}).condition, "stopped");
}

TEST(Options, several_files_are_imported_where_they_are_one_source) {
  EXPECT_THAT(asked({"import", "systemd", "a", "b", "-"}).names, ElementsAre("systemd", "a", "b", "-"));
  EXPECT_EQ(asked({"import", "supervisord", "a", "b"}).names.size(), 3U);
  const Invocation init = asked({"init", "-o", "-", "--force", "shop"});
  EXPECT_EQ(init.output, "-");
  EXPECT_TRUE(init.force);
  EXPECT_THAT(init.names, ElementsAre("shop"));
}

TEST(Options, what_an_answer_has_to_be_is_read) {
  WaitOptions options;
  options.status = "200-204,301";
  options.headers = {"Authorization:  Basic x:y "};
  options.json = "/status=ok";
  options.method = "HEAD";
  options.ca = "ca.pem";
  const auto read = probe_options(options, "/here");
  ASSERT_TRUE(read);
  using Range = std::pair<std::uint16_t, std::uint16_t>;
  EXPECT_THAT(read->http->statuses, ElementsAre(Range(200, 204), Range(301, 301)));
  EXPECT_EQ(read->http->headers.at(0).first, "Authorization");
  EXPECT_EQ(read->http->headers.at(0).second, "Basic x:y ");
  EXPECT_EQ(read->http->json->pointer, "/status");
  EXPECT_EQ(read->http->json->equals, "ok");
  EXPECT_EQ(read->tls->ca, "/here/ca.pem");
  EXPECT_TRUE(read->tls->verify);
  const auto nothing = probe_options({}, "/here");
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->http || nothing->tls);
}

TEST(Options, a_service_may_be_called_like_a_command) {
  EXPECT_THAT(asked({"status", "run", "status"}).names, ElementsAre("run", "status"));
}

TEST(Options, logs_are_chosen_by_service_count_time_and_words) {
  const Invocation logs = asked({"logs", "db", "-f", "-n", "20", "--since", "09:30", "--grep", "a|b",
                                 "--stream", "stderr", "api", "-t", "--json"});
  EXPECT_THAT(logs.names, ElementsAre("db", "api"));
  EXPECT_TRUE(logs.logs_shown.follow);
  EXPECT_TRUE(logs.logs_shown.timestamps);
  EXPECT_TRUE(logs.json);
  EXPECT_EQ(logs.logs_shown.last, "20");
  EXPECT_EQ(logs.logs_shown.since, "09:30");
  EXPECT_EQ(logs.logs_shown.grep, "a|b");
  EXPECT_THAT(logs.logs_shown.streams, ElementsAre("stderr"));
}

TEST(Options, analyze_is_told_what_if_and_what_to_compare) {
  const Invocation analyze =
      asked({"analyze", "--faster", "db=1s", "--faster", "a=b=20ms", "--svg", "x.svg"});
  const auto faster = what_ifs(analyze.analyze);
  ASSERT_TRUE(faster);
  ASSERT_EQ(faster->size(), 2U);
  EXPECT_EQ((*faster)[0].by, std::chrono::seconds(1));
  EXPECT_EQ((*faster)[1].service, "a=b");
  EXPECT_EQ(analyze.analyze.svg, "x.svg");
  const auto numbers = compared(asked({"analyze", "--compare", "2", "1"}).analyze);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(*numbers, (std::pair<std::size_t, std::size_t>(2, 1)));
  EXPECT_EQ(what_ifs({.faster = {"db"}}).error().exit_code, exit_code::usage);
  EXPECT_EQ(what_ifs({.faster = {"=1s"}}).error().exit_code, exit_code::usage);
  EXPECT_EQ(compared({.compare = {"0", "1"}}).error().exit_code, exit_code::usage);
}

TEST(Options, events_are_chosen_by_service_kind_and_where_to_begin) {
  const Invocation events =
      asked({"events", "db", "-f", "--kind", "state", "--kind", "bell", "--since", "10m"});
  EXPECT_THAT(events.names, ElementsAre("db"));
  EXPECT_TRUE(events.events.follow);
  EXPECT_THAT(events.events.kinds, ElementsAre("state", "bell"));
  const auto ago = events_since(events.events);
  ASSERT_TRUE(ago);
  EXPECT_EQ(ago->ago, std::chrono::minutes(10));
  const auto behind = events_since({.follow = false, .since = "1234", .kinds = {}});
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->sequence, 1234U);
  EXPECT_FALSE(behind->ago);
  const auto nonsense = events_since({.follow = false, .since = "12x", .kinds = {}});
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().exit_code, exit_code::usage);
}

TEST(Options, exec_without_dashes_is_told_what_was_meant) {
  const Failure failure = refused({"exec", "pytest", "-x"});
  EXPECT_EQ(failure.exit_code, exit_code::usage);
  EXPECT_EQ(failure.next_step, "belfry exec -- pytest -x");
}

TEST(Options, a_slip_of_the_finger_is_recognised) {
  EXPECT_THAT(refused({"statsu"}).message, HasSubstr("did you mean status?"));
  EXPECT_THAT(refused({"status", "--jsno"}).message, HasSubstr("did you mean --json?"));
}

TEST(Options, words_of_other_tools_are_translated) {
  const std::pair<const char*, const char*> words[] = {{"ps", "status"},
                                                       {"config", "check"},
                                                       {"top", "status --watch"},
                                                       {"is-active", "status --ready"},
                                                       {"daemon-reload", "reload"},
                                                       {"validate", "check"},
                                                       {"list-dependencies", "graph"},
                                                       {"halt", "down"},
                                                       {"dameon-reload", "reload"},
                                                       {"valdiate", "check"}};
  for (const auto& [word, meant] : words) {
    const Failure failure = refused({word});
    EXPECT_THAT(failure.message, HasSubstr("did you mean " + std::string(meant) + "?")) << word;
    EXPECT_EQ(failure.next_step, "belfry " + std::string(meant));
  }
  EXPECT_THAT(refused({"pull"}).message, HasSubstr("knows no images"));
  EXPECT_THAT(refused({"enable"}).message, HasSubstr("unit"));
}

TEST(Options, what_is_meant_by_a_word_of_another_tool_can_be_said) {
  for (const std::string_view word : foreign_words()) {
    const std::string meant(meant_by(word));
    EXPECT_EQ(help_text(word), "") << word << " is a command of belfry by now";
    const bool is_ours = !help_text(meant.substr(0, meant.find(' '))).empty();
    const bool is_built_elsewhere = meant == "logs" || meant == "why" || meant == "analyze";
    EXPECT_TRUE(is_ours || is_built_elsewhere) << meant;
    EXPECT_TRUE(why_not_here(word).empty()) << word;
  }
}

TEST(Options, the_stack_in_the_background_is_asked_for_like_one_in_the_foreground) {
  const Invocation up = asked({"up", "-c", "a.yaml", "--timeout", "30s", "db", "--json"});
  EXPECT_THAT(up.files, ElementsAre("a.yaml"));
  EXPECT_THAT(up.names, ElementsAre("db"));
  EXPECT_EQ(up.timeout, Duration(30s));
  EXPECT_TRUE(up.json);
  EXPECT_TRUE(asked({"status", "--watch"}).live);
  EXPECT_TRUE(asked({"status", "--ready"}).ready);
  EXPECT_THAT(asked({"attach", "shop"}).names, ElementsAre("shop"));
  EXPECT_THAT(asked({"wait"}).names, testing::IsEmpty());
}

TEST(Options, what_exec_makes_of_the_end_of_its_command) {
  const Invocation exec = asked({"exec", "-q", "--keep", "--strict-stop", "--verdict-code", "75",
                                 "--annotate", "github", "--junit", "j.xml", "--", "x"});
  EXPECT_TRUE(exec.exec.quiet && exec.exec.keep && exec.exec.strict_stop);
  EXPECT_EQ(exec.exec.verdict_code, 75);
  EXPECT_EQ(exec.exec.annotate, "github");
  EXPECT_EQ(exec.exec.junit, "j.xml");
}

TEST(Options, every_refusal_is_usage_and_says_what_next) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"frobnicate"},
                                                       {"--frob"},
                                                       {"run", "--no-such-flag"},
                                                       {"events", "--kind"},
                                                       {"status", "--socket"},
                                                       {"wait", "--"},
                                                       {"attach", "a", "b"},
                                                       {"exec", "--verdict-code", "x", "--", "sh"},
                                                       {"exec", "--verdict-code", "256", "--", "sh"},
                                                       {"exec", "--annotate", "jenkins", "--", "sh"},
                                                       {"exec", "-q", "--logs", "-", "--", "sh"},
                                                       {"stop"},
                                                       {"wait", "db", "--timeout", "5"},
                                                       {"wait", "db", "--"},
                                                       {"exec"},
                                                       {"exec", "--"},
                                                       {"run", "--"},
                                                       {"run", "-c", "x", "--", "sh"},
                                                       {"run", "--logs", "x", "--", "sh"},
                                                       {"run", "--rewrite", "x", "--", "sh"},
                                                       {"run", "--rewrite", "TERM:", "--", "sh"},
                                                       {"run", "--parent-death-signal", "0", "--", "sh"},
                                                       {"run", "--kill-after", "5", "--", "sh"},
                                                       {"run", "--kill-after", "5s"},
                                                       {"status", "--", "sh"},
                                                       {"check", "--format", "xml"},
                                                       {"import", "compose"},
                                                       {"import", "helm", "x"},
                                                       {"import", "compose", "x", "y"},
                                                       {"import", "systemd"},
                                                       {"init", "a", "b"},
                                                       {"init", "--outptu", "x"},
                                                       {"completion"},
                                                       {"completion", "tcsh"},
                                                       {"shutdown", "now"},
                                                       {"help", "frob"}};
  for (const auto& arguments : wrong) {
    const Failure failure = refused(arguments);
    EXPECT_EQ(failure.exit_code, exit_code::usage) << failure.message;
    EXPECT_THAT(failure.message, StartsWith("cannot "));
    EXPECT_THAT(failure.next_step, testing::Not(testing::IsEmpty())) << failure.message;
  }
}

TEST(Options, what_is_said_of_a_command_that_run_is_an_init_for_is_read) {
  const InitTerms init =
      asked({"run", "--rewrite", "15:SIGQUIT", "--rewrite", "HUP:0", "--remap-exit", "143", "--kill-after",
             "500ms", "--parent-death-signal", "TERM", "--single-child", "--", "sh", "--rewrite"})
          .init;
  EXPECT_THAT(init.rewrites, ElementsAre(std::pair(SIGHUP, 0), std::pair(SIGTERM, SIGQUIT)));
  EXPECT_THAT(init.remapped_exits, ElementsAre(143));
  EXPECT_EQ(init.kill_after, 500ms);
  EXPECT_EQ(init.parent_death_signal, SIGTERM);
  EXPECT_TRUE(init.single_child);
  EXPECT_EQ(asked({"run", "--", "sh"}).init.kill_after, std::nullopt);
}

TEST(Options, help_is_found_in_every_way_people_ask_for_it) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"run", "--help"}, {"run", "-h"}, {"help", "run"}, {"run", "--help", "--no-such-flag"}}) {
    const auto parsed = parse(arguments);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<Text>(*parsed).text, help_text("run"));
  }
  EXPECT_EQ(std::get<Text>(*parse({"--help"})).text, help_text(""));
}

TEST(Options, version_says_which_build_it_is) {
  const std::string text = std::get<Text>(*parse({"version"})).text;
  EXPECT_THAT(text, ContainsRegex("^belfry 0[.0-9]+ \\((static|dynamic); (TLS by OpenSSL|no TLS)[^;]*; "
                                  "malloc of glibc [.0-9]+; clang [.0-9]+\\)\n$"));
}

TEST(Options, version_is_one_line) {
  EXPECT_THAT(std::get<Text>(*parse({"version"})).text, StartsWith("belfry 0."));
  EXPECT_THAT(std::get<Text>(*parse({"--version"})).text, StartsWith("belfry 0."));
}

TEST(Help, every_text_fits_a_screen_and_ends_with_examples) {
  std::vector<std::string> commands = {""};
  for (const CommandOptions& command : all_commands()) commands.push_back(command.command);
  for (const std::string& command : commands) {
    const std::string_view text = help_text(command);
    ASSERT_FALSE(text.empty()) << command;
    std::size_t lines = 0;
    for (std::size_t at = 0; at < text.size(); ++lines) {
      const auto end = text.find('\n', at);
      EXPECT_LE(text::display_width(text.substr(at, end - at)), 80U)
          << command << ": " << text.substr(at, end - at);
      at = end + 1;
    }
    EXPECT_LE(lines, 24U) << command;
    const auto examples = text.find("\nexamples:\n");
    ASSERT_NE(examples, std::string_view::npos) << command;
    EXPECT_EQ(text.find("\n\n", examples + 1), std::string_view::npos)
        << command << ": something follows the examples";
  }
}

TEST(Help, every_option_is_in_the_text_of_its_command) {
  for (const CommandOptions& command : all_commands()) {
    for (const std::string& option : command.options) {
      if (option == "-h" || option == "--help") continue;
      EXPECT_THAT(std::string(help_text(command.command)), HasSubstr(option)) << command.command;
    }
  }
}

// As a word: `--for` is not in `--format`.
bool contains_word(std::string_view text, const std::string& word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::string_view behind = text.substr(at + word.size(), 1);
    if (behind.find_first_of("-abcdefghijklmnopqrstuvwxyz") == std::string_view::npos) return true;
  }
  return false;
}

// `build/dev/cli/belfry help --man > docs/man/belfry.1` when it is not.
TEST(Help, the_manual_page_is_made_from_the_same_texts) {
  std::ifstream file(BELFRY_SOURCE_DIR "/docs/man/belfry.1");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(page == manual_page()) << "belfry help --man > docs/man/belfry.1";
}

TEST(Help, every_option_is_in_the_manual_page) {
  std::ifstream file(BELFRY_SOURCE_DIR "/docs/man/belfry.1");
  std::string page(std::istreambuf_iterator<char>(file), {});
  for (std::size_t at = 0; (at = page.find('\\', at)) != std::string::npos;)  // troff: `\fB\-\-json\fR`
    page.erase(at, page[at + 1] == 'f' ? 3 : 1);
  for (const CommandOptions& command : all_commands()) {
    for (const std::string& option : command.options)
      EXPECT_TRUE(contains_word(page, option)) << command.command << " " << option;
  }
}

TEST(Help, every_command_is_in_the_first_text) {
  for (const CommandOptions& command : all_commands()) {
    EXPECT_THAT(std::string(help_text("")), HasSubstr(command.command));
  }
}

}  // namespace
}  // namespace belfry::cli
