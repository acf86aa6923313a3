// The rules of compose for env files, each with what it makes of a line.
#include "config/document/dotenv.hpp"

#include <gtest/gtest.h>

#include <map>

#include "config/decode/env_file.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

struct Read {
  std::map<std::string, std::string> values;
  std::string problems;
};

Read read(std::string text) {
  Document document;
  Diagnostics diagnostics;
  Decoder decoder(
      document, diagnostics,
      [](std::string_view name) {
        return name == "HOST"    ? std::optional<std::string>("h")
               : name == "EMPTY" ? std::optional<std::string>("")
                                 : std::nullopt;
      },
      "/nowhere");
  diagnostics.sources().emplace_back("x.env", std::move(text), Excerpts::withheld);
  Pairs pairs;
  read_env_text(decoder, 0, pairs);
  diagnostics.finish();
  return {{pairs.begin(), pairs.end()}, text_of(diagnostics)};
}

// The value of A in a file that has nothing else to say.
std::string value(const std::string& line) {
  const Read result = read(line);
  if (!result.problems.empty() || result.values.size() != 1 || !result.values.contains("A"))
    return "wrong: " + result.problems;
  return result.values.at("A");
}

// ---- names

TEST(DotenvNames, stand_before_an_equals_sign_or_a_colon) {
  for (const char* line : {"A=1", "A =1", "A= 1", " A=1", "\tA=1", "A: 1", "A:1", "A\t=\t1"})
    EXPECT_EQ(value(line), "1") << line;
  EXPECT_EQ(value("A: x=y"), "x=y");
  EXPECT_EQ(value("A=1:b"), "1:b");
  EXPECT_EQ(value("A=x=y="), "x=y=");
}
TEST(DotenvNames, may_follow_the_word_export) {
  for (const char* line : {"export A=1", "export\tA=1", "  export A=1", "\texport   A=1", "export A: 1"})
    EXPECT_EQ(value(line), "1") << line;
  EXPECT_EQ(value("export A=\"export A\""), "export A");
  EXPECT_EQ(read("exportA=1\nexport_A=2\nexport.A=3\nexport=4\nexport exportB=5\n").values,
            (std::map<std::string, std::string>{
                {"exportA", "1"}, {"export_A", "2"}, {"export.A", "3"}, {"export", "4"}, {"exportB", "5"}}));
}
TEST(DotenvNames, have_dots_dashes_brackets_and_letters_of_every_alphabet) {
  EXPECT_EQ(read("discovery.type=a\nX-Y=b\nv[1]=c\nárvíz-TŰRŐ=d\n").values,
            (std::map<std::string, std::string>{
                {"discovery.type", "a"}, {"X-Y", "b"}, {"v[1]", "c"}, {"árvíz-TŰRŐ", "d"}}));
}
TEST(DotenvNames, of_another_form_are_refused_where_they_stand) {
  EXPECT_TRUE(read("A=1\nlol$wut\n").problems.starts_with("x.env:2:4: error: "));
  EXPECT_TRUE(read("A B=1\n").problems.starts_with("x.env:1:2: error: "));
  EXPECT_TRUE(read("=1\n").problems.starts_with("x.env:1:1: error: "));
  EXPECT_TRUE(read("export =1\n").problems.starts_with("x.env:1:8: error: "));
  EXPECT_TRUE(read("  1A=1\n").problems.starts_with("x.env:1:3: error: "));
  EXPECT_TRUE(read("\n; as in systemd\n").problems.starts_with("x.env:2:1: error: "));
}
TEST(DotenvNames, after_a_refused_line_the_next_ones_are_read) {
  const Read result = read("a b=1\nB=2\n/=3\nC=4");
  EXPECT_EQ(result.values, (std::map<std::string, std::string>{{"B", "2"}, {"C", "4"}}));
  EXPECT_TRUE(result.problems.contains("x.env:1:2: error: "));
  EXPECT_TRUE(result.problems.contains("x.env:3:1: error: "));
}

// ---- a name alone

TEST(DotenvInherited, takes_the_value_of_the_environment) {
  for (const char* text : {"HOST", "HOST\n", "export HOST\n", "HOST \r\n"}) {
    const Read result = read(text);
    EXPECT_EQ(result.problems, "") << text;
    EXPECT_EQ(result.values, (std::map<std::string, std::string>{{"HOST", "h"}})) << text;
  }
}
TEST(DotenvInherited, is_told_when_there_is_none_without_repeating_what_may_be_a_key) {
  const Read result = read("A=1\nMIIEpAIBAAKCAQEA\n");
  EXPECT_EQ(result.values.size(), 1U);
  EXPECT_TRUE(result.problems.starts_with("x.env:2:1: warning: ")) << result.problems;
  EXPECT_FALSE(result.problems.contains("MIIE"));
}

// ---- values without quotes

TEST(DotenvBare, end_before_a_blank_and_a_hash) {
  for (const char* line : {"A=b # c", "A=b #c", "A=b #", "A=b   # c # d", "A=b  "})
    EXPECT_EQ(value(line), "b");
  EXPECT_EQ(value("A=b#c"), "b#c");
  EXPECT_EQ(value("A=b\t#c"), "b\t#c");
  EXPECT_EQ(value("A=#c"), "#c");
  EXPECT_EQ(value("A=two words"), "two words");
  for (const char* line : {"A=", "A= ", "A=\n", "A=\r\n", "A:"}) EXPECT_EQ(value(line), "") << line;
}
TEST(DotenvBare, that_look_like_a_comment_are_a_value_and_told) {
  const Read result = read("A= # set me\n");
  EXPECT_EQ(result.values.at("A"), "# set me");
  EXPECT_TRUE(result.problems.starts_with("x.env:1:4: warning: "));
}
TEST(DotenvBare, keep_backslashes_and_quotes_in_their_middle) {
  EXPECT_EQ(value("A=a\\tb"), "a\\tb");
  EXPECT_EQ(value("A=C:\\dir\\file"), "C:\\dir\\file");
  EXPECT_EQ(value("A=it's"), "it's");
  EXPECT_EQ(value("A=a\"b\""), "a\"b\"");
}
TEST(DotenvBare, do_not_continue_behind_a_backslash_and_it_is_told) {
  const Read result = read("A=one \\\nB=two\n");
  EXPECT_EQ(result.values, (std::map<std::string, std::string>{{"A", "one \\"}, {"B", "two"}}));
  EXPECT_TRUE(result.problems.starts_with("x.env:1:7: warning: "));
}
TEST(DotenvBare, may_have_windows_line_ends) {
  EXPECT_EQ(read("A=1\r\n\r\n# c\r\nB='2'\r\nC=\"3\" # d\r\n").values,
            (std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}, {"C", "3"}}));
}

// ---- quotes

TEST(DotenvQuotes, keep_hashes_blanks_and_the_other_quote) {
  EXPECT_EQ(value("A=\"b#c\""), "b#c");
  EXPECT_EQ(value("A='b # c'"), "b # c");
  EXPECT_EQ(value("A=\" b \""), " b ");
  EXPECT_EQ(value("A=\"'b'\""), "'b'");
  EXPECT_EQ(value("A='\"b\"'"), "\"b\"");
  EXPECT_EQ(value("A=''"), "");
  EXPECT_EQ(value("A = \"b\""), "b");
  EXPECT_EQ(value("A: 'b'"), "b");
}
TEST(DotenvQuotes, may_be_followed_by_a_comment) {
  for (const char* line : {"A=\"b\" # c", "A='b' #c", "A=\"b\"#c", "A='b'\t# c", "A='b'  "})
    EXPECT_EQ(value(line), "b");
}
TEST(DotenvQuotes, hold_several_lines) {
  EXPECT_EQ(value("A=\"one\n# two\nthree\"\n"), "one\n# two\nthree");
  const Read result = read("A='one\n\ntwo' # c\nB=2\nC C=3\n");
  EXPECT_EQ(result.values, (std::map<std::string, std::string>{{"A", "one\n\ntwo"}, {"B", "2"}}));
  EXPECT_TRUE(result.problems.starts_with("x.env:5:2: error: "));
}
TEST(DotenvQuotes, single_ones_know_only_themselves_escaped) {
  EXPECT_EQ(value("A='Let\\'s go'"), "Let's go");
  EXPECT_EQ(value("A='\\n \\\\ \\x \\\" $HOST ${HOST}'"), "\\n \\\\ \\x \\\" $HOST ${HOST}");
  EXPECT_EQ(value("A='b\\\\'"), "b\\\\");
}
TEST(DotenvQuotes, double_ones_know_the_escapes_of_a_shells_echo) {
  EXPECT_EQ(value(R"(A="Z\aZ\bZ\fZ\nZ\rZ\tZ\vZ\\Z\0123Z")"), "Z\aZ\bZ\fZ\nZ\rZ\tZ\vZ\\ZSZ");
  EXPECT_EQ(value(R"(A="\"b\"")"), "\"b\"");
  EXPECT_EQ(value(R"(A="\\n\\")"), "\\n\\");
  EXPECT_EQ(value(R"(A="\0377")"), "\xC3\xBF");
}
TEST(DotenvQuotes, double_ones_keep_what_is_no_escape) {
  for (const char* text :
       {R"(\x07)", R"(\u12e4)", R"(\ b)", R"(\')", R"(\c)", R"(\0)", R"(\012)", R"(\0999)", R"(C:\dir\é)"})
    EXPECT_EQ(value("A=\"" + std::string(text) + "\""), text);
}
TEST(DotenvQuotes, joined_to_text_are_one_value_as_in_a_shell) {
  EXPECT_EQ(value("A=\"abc\"def"), "abcdef");
  EXPECT_EQ(value("A='a b'\"c d\"e'f'"), "a bc def");
  EXPECT_EQ(value("A=\"a\"b#c # d"), "ab#c");
  EXPECT_EQ(value("A='a'$HOST'$HOST'\"$HOST\""), "ah$HOSTh");
}
TEST(DotenvQuotes, are_followed_by_no_text_behind_a_blank) {
  for (const char* line : {"A=\"b\" c\n", "A='b' B=2\n", "A=\"b\" \"c\"\n", "A=\"b\" ; c\n"}) {
    const Read result = read(line);
    EXPECT_TRUE(result.values.empty()) << line;
    EXPECT_TRUE(result.problems.starts_with("x.env:1:7: error: text follows the closing quote"))
        << result.problems;
  }
}
TEST(DotenvQuotes, that_are_never_closed_are_told_where_they_open) {
  for (const char* rest : {"\"", "\"v", "\"v\\\"", "\"v'", "'", "'v", "'v\\'", "'v\"", "\"v\nB=1\n"})
    EXPECT_TRUE(read("Z=0\nA=" + std::string(rest))
                    .problems.starts_with("x.env:2:3: error: this quote is never closed"))
        << rest;
}

// ---- variables

TEST(DotenvVariables, are_replaced_outside_single_quotes) {
  EXPECT_EQ(value("A=$HOST"), "h");
  EXPECT_EQ(value("A=\"x ${HOST} y\""), "x h y");
  EXPECT_EQ(value("A='$HOST'"), "$HOST");
  EXPECT_EQ(value("A=${NO:-d}${EMPTY:-e}${EMPTY-f}${HOST:+g}"), "deg");
  EXPECT_EQ(value("A=\"${NO:-${HOST}}\""), "h");
}
TEST(DotenvVariables, are_text_behind_a_second_dollar_or_a_backslash_in_double_quotes) {
  EXPECT_EQ(value("A=$$HOST"), "$HOST");
  EXPECT_EQ(value(R"(A="\$HOST \${HOST} ${HOST}")"), "$HOST ${HOST} h");
  EXPECT_EQ(value("A=\"$$HOST\""), "$HOST");
  EXPECT_EQ(value(R"(A="\\$HOST")"), "\\h");
  EXPECT_EQ(value("A=5$ $"), "5$ $");
}
TEST(DotenvVariables, of_the_environment_come_before_those_further_up) {
  EXPECT_EQ(read("HOST=file\nA=$HOST\nB=1\nC=${B}2\nB=3\n").values,
            (std::map<std::string, std::string>{{"HOST", "file"}, {"A", "h"}, {"B", "3"}, {"C", "12"}}));
}
TEST(DotenvVariables, that_are_not_set_are_told_by_place_and_by_nothing_that_may_be_a_password) {
  const Read result = read("A=1\nPASSWORD=\"p\\tw$ecret\"\n");
  EXPECT_EQ(result.values.at("PASSWORD"), "p\tw");
  EXPECT_TRUE(result.problems.starts_with("x.env:2:15: warning: the value of `PASSWORD` "))
      << result.problems;
  EXPECT_FALSE(result.problems.contains("ecret"));
}
TEST(DotenvVariables, that_are_malformed_are_refused_the_same_way) {
  for (const char* text : {"pw${s3cret", "pw${s3cret!}", "pw${!s3cret}"}) {
    const Read result = read("A=" + std::string(text) + "\nB=1\n");
    EXPECT_EQ(result.values.size(), 1U) << text;
    EXPECT_TRUE(result.problems.starts_with("x.env:1:5: error: ")) << result.problems;
    EXPECT_FALSE(result.problems.contains("s3cret")) << result.problems;
  }
}
TEST(DotenvVariables, that_are_needed_say_what_the_author_wrote_for_it) {
  EXPECT_TRUE(read("A=${NO:?set NO to a port}\n").problems.contains("set NO to a port"));
}

// ---- the file

TEST(DotenvFile, shows_no_line_of_it_in_any_message) {
  const Read result = read("hunter2 x\nA=\"hunter2\" hunter3\nB='hunter2\nhunter2\n");
  EXPECT_TRUE(result.problems.contains("x.env:1:8: error: "));
  EXPECT_TRUE(result.problems.contains("x.env:2:13: error: "));
  EXPECT_TRUE(result.problems.contains("x.env:3:3: error: "));
  EXPECT_FALSE(result.problems.contains("hunter")) << result.problems;
}
TEST(DotenvFile, that_is_no_text_is_refused_at_the_byte) {
  EXPECT_TRUE(read("A=1\nB=x\xFFy\n").problems.starts_with("x.env:2:4: error: "));
  const std::string nul("A=1\nB=\0\n", 8);
  EXPECT_TRUE(read(nul).problems.starts_with("x.env:2:3: error: ")) << read(nul).problems;
  EXPECT_TRUE(read("A=\x1b\n").problems.contains("\\0 and three octal digits"));
  EXPECT_TRUE(read("A=\"x\\0000\"\n").problems.starts_with("x.env:1:5: error: a variable cannot hold a NUL"));
}
TEST(DotenvFile, of_a_hundred_thousand_wrong_lines_is_gone_over_once) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "a b\n";
  EXPECT_TRUE(read(text).problems.contains("x.env:1000:2: error: "));
}

}  // namespace
}  // namespace belfry::config
