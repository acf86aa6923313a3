#include "cli/wait_talk.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "text/width.hpp"

namespace belfry::cli {
namespace {

using namespace std::chrono_literals;
using waiter::Awaited;

Awaited target(std::string name, std::string why) {
  return {.name = std::move(name), .why = std::move(why), .services = {}};
}

std::string line(const std::vector<Awaited>& unmet, std::size_t width) {
  std::vector<const Awaited*> pointers;
  for (const Awaited& one : unmet) pointers.push_back(&one);
  return progress_line(12s, pointers, width);
}

TEST(WaitTalk, the_line_names_the_first_its_cause_and_how_many_more) {
  const Awaited db = target("db:5432", "cannot connect to db:5432: Connection refused");
  EXPECT_EQ(line({db}, 0), "waiting 12s for db:5432: Connection refused");
  EXPECT_EQ(line({db, db, db}, 80), "waiting 12s for db:5432: Connection refused (+2 more)");
  EXPECT_EQ(line({target("db:5432", "")}, 80), "waiting 12s for db:5432");
}

TEST(WaitTalk, the_line_never_wraps_and_obeys_nobody) {
  const Awaited hostile = target("http://\x1b[31mé" + std::string(300, 'x') + "/", "no\r\n");
  for (const std::size_t width : {20U, 40U, 79U}) {
    const std::string shown = line({hostile, hostile}, width);
    EXPECT_LT(text::display_width(shown), width + 1) << shown;
    EXPECT_THAT(shown, testing::EndsWith("(+1 more)"));
    EXPECT_EQ(shown.find_first_of("\x1b\r\n"), std::string::npos);
  }
}

TEST(WaitTalk, the_last_words_name_everybody) {
  EXPECT_EQ(farewell({target("a:1", "cannot connect to a:1: refused")}),
            "cannot wait any longer for a:1: cannot connect to a:1: refused");
  EXPECT_EQ(farewell({target("a:1", "no"), target("b:1", "")}),
            "cannot wait any longer for 2:\n  a:1: no\n  b:1: the first attempt has had no answer yet");
}

}  // namespace
}  // namespace belfry::cli
