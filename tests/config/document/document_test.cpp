#include "config/document/document.hpp"

#include <gtest/gtest.h>

#include <ctime>

#include "tests/support/instrumented.hpp"

namespace belfry::config {
namespace {

class DocumentTest : public testing::Test {
 protected:
  const Node* parse(std::string text) {
    diagnostics_.sources().emplace_back("f", std::move(text));
    return document_.parse(diagnostics_, static_cast<std::uint32_t>(diagnostics_.sources().size() - 1));
  }
  std::string_view rule() const {
    return diagnostics_.empty() ? std::string_view("none") : diagnostics_[0].rule;
  }
  Document document_;
  Diagnostics diagnostics_;
};

TEST_F(DocumentTest, keeps_the_place_of_every_node) {
  const Node* const root = parse("a: 1\nb:\n  - x\n  - {c: \"d\"}\n");
  ASSERT_NE(root, nullptr);
  const Node& list = *root->find("b");
  EXPECT_EQ(list.items()[0]->line, 3U);
  EXPECT_EQ(list.items()[0]->column, 5U);
  const Node& deep = *list.items()[1]->find("c");
  EXPECT_EQ(deep.line, 4U);
  EXPECT_EQ(deep.column, 9U);
  EXPECT_TRUE(deep.quoted);
}
TEST_F(DocumentTest, marks_a_value_behind_its_anchor) {
  EXPECT_EQ(parse("a: &x  hello\n")->find("a")->column, 8U);
}
TEST_F(DocumentTest, marks_a_missing_value_at_its_key) {
  const Node& value = *parse("a:\n\n\nb: 1\n")->find("a");
  EXPECT_TRUE(value.is_null());
  EXPECT_EQ(value.line, 1U);
}
TEST_F(DocumentTest, an_alias_has_its_own_place_and_the_value_of_its_anchor) {
  const Node* const root = parse("a: &x {k: v}\nb: *x\n");
  EXPECT_EQ(root->find("b")->line, 2U);
  EXPECT_EQ(root->find("b")->find("k")->text(), "v");
}
TEST_F(DocumentTest, merge_keys_add_what_is_not_there) {
  const Node* const root = parse("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\n");
  const Node& merged = *root->find("c");
  EXPECT_EQ(merged.find("x")->text(), "3");
  EXPECT_EQ(merged.find("y")->text(), "1");
  EXPECT_EQ(merged.find("z")->text(), "2");
  EXPECT_EQ(merged.size, 3U);
}
TEST_F(DocumentTest, a_quoted_merge_key_is_a_key) {
  EXPECT_NE(parse("a: {\"<<\": 1}\n")->find("a")->find("<<"), nullptr);
}
TEST_F(DocumentTest, duplicate_keys_are_found_in_small_and_large_mappings) {
  (void)parse("a: 1\na: 2\n");
  EXPECT_EQ(rule(), "duplicate-key");
  std::string large;
  for (int i = 0; i < 100; ++i) large += "k" + std::to_string(i) + ": 1\n";
  const std::size_t before = diagnostics_.errors();
  (void)parse(large + "k50: 2\n");
  EXPECT_EQ(diagnostics_.errors(), before + 1);
}
TEST_F(DocumentTest, an_empty_text_has_no_root_and_no_mistake) {
  EXPECT_EQ(parse(""), nullptr);
  EXPECT_EQ(parse("# only\n"), nullptr);
  EXPECT_FALSE(diagnostics_.has_errors());
}
TEST_F(DocumentTest, every_escape_gives_utf8) {
  EXPECT_EQ(parse("a: \"\\N\\_\\L\\xe9\\u65e5\"\n")->find("a")->text(), "\xC2\x85\xC2\xA0\u2028é日");
}
TEST_F(DocumentTest, a_nul_in_a_text_is_refused) {
  (void)parse("a: \"x\\0y\"\n");
  EXPECT_EQ(rule(), "bad-text");
}
TEST_F(DocumentTest, windows_line_ends_are_line_ends) {
  EXPECT_EQ(parse("a: 1\r\nb: 2\r\n")->find("b")->line, 2U);
}

std::string repeated(std::string_view part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

TEST_F(DocumentTest, a_value_in_brackets_may_be_long) {
  std::string text = "{";
  for (int i = 0; i < 20'000; ++i)
    text += "\"s" + std::to_string(i) +
            R"(": {"command": ["a", "b", "c"], "ready": "notify", "depends_on": ["x", "y"]},
)";
  ASSERT_NE(parse(text + "\"z\": 1}"), nullptr);
  EXPECT_FALSE(diagnostics_.has_errors());
}
TEST_F(DocumentTest, a_long_text_of_brackets_in_lines_is_no_bomb) {
  EXPECT_NE(parse("a:\n" + repeated("  - [x, y]\n", 300'000)), nullptr);
  EXPECT_FALSE(diagnostics_.has_errors());
}

TEST_F(DocumentTest, an_alias_of_nothing_does_not_hide_the_rest) {
  const Node* const root = parse("a: *x\nb: {c: *y, d: 1}\ne: [*z, 2]\n<<: *w\n");
  ASSERT_NE(root, nullptr);
  EXPECT_EQ(diagnostics_.errors(), 4U);
  EXPECT_TRUE(root->find("a")->is_unresolved());
  EXPECT_EQ(root->find("b")->find("d")->text(), "1");
  EXPECT_TRUE(root->find("e")->items()[0]->is_unresolved());
}
TEST_F(DocumentTest, many_aliases_of_nothing_end_it) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "k" + std::to_string(i) + ": *x\n";
  EXPECT_EQ(parse(text), nullptr);
  EXPECT_EQ(diagnostics_.errors(), 17U);
}

double milliseconds_of(auto work) {
  const std::clock_t start = std::clock();  // processor time: what others do on the machine does not count
  work();
  return static_cast<double>(std::clock() - start) * 1000 / CLOCKS_PER_SEC;
}

struct Bomb {
  std::string name, text, rule;
};
std::string laughs() {
  std::string text = "a: &a [" + repeated("lol,", 10) + "lol]\n";
  for (char c = 'b'; c <= 'k'; ++c)
    text += std::string(1, c) + ": &" + c + " [" +
            repeated(std::string("*") + static_cast<char>(c - 1) + ",", 9) + "*" + static_cast<char>(c - 1) +
            "]\n";
  return text;
}
std::string long_laughs() {
  return "a: &a " + std::string(1'000'000, 'l') + "\nb: [" + repeated("*a,", 200'000) + "*a]\n";
}
std::string merge_chain() {
  std::string text = "m0: &m0 {k0: 1}\n";
  for (int i = 1; i < 6000; ++i)
    text += "m" + std::to_string(i) + ": &m" + std::to_string(i) + " {<<: *m" + std::to_string(i - 1) +
            ", k" + std::to_string(i) + ": 1}\n";
  return text;
}

TEST_F(DocumentTest, bombs_are_refused_in_bounded_time) {
  const std::vector<Bomb> bombs{
      {"aliases of aliases", laughs(), "alias-bomb"},
      {"aliases of a long text", long_laughs(), "alias-bomb"},
      {"merges of merges", merge_chain(), "alias-bomb"},
      {"deep flow", std::string(400'000, '[') + std::string(400'000, ']'), "too-deep"},
      {"deep flow mappings", repeated("{a: ", 200'000) + std::string(200'000, '}'), "too-deep"},
      {"never closed", repeated("[", 30'000'000), "too-large"},
      {"broad flow", "a: [" + repeated("[],", 10'000'000) + "]", "too-large"},
      {"broad flow in lines", "a: [" + repeated("{b: c},\n", 3'000'000) + "]", "too-large"},
      {"deep block",
       [] {
         std::string t;
         for (int i = 0; i < 1000; ++i) t += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
         return t;
       }(),
       "too-deep"},
      {"huge", std::string((32U << 20U) + 1, ' '), "too-large"}};
  for (const Bomb& bomb : bombs) {
    diagnostics_ = Diagnostics();
    const double took = milliseconds_of([&] { EXPECT_EQ(parse(bomb.text), nullptr) << bomb.name; });
    EXPECT_EQ(rule(), bomb.rule) << bomb.name;
    EXPECT_LT(took, test::is_instrumented ? 40'000 : 15'000) << bomb.name;  // unbounded ones never end
  }
}

}  // namespace
}  // namespace belfry::config
