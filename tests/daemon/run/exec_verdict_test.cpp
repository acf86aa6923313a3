#include "daemon/run/exec_verdict.hpp"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct VerdictTest : testing::Test {
  ManualClock clock;
  Loop loop{clock};
  Journal journal{loop, 8192};
  TimePoint begun = loop.now();

  void write(std::string_view service, State from, State to, std::string cause) {
    journal.append({.kind = EventKind::state, .from = from, .to = to, .service = service},
                   Error(Error::Kind::failed, std::move(cause)));
  }
  Verdict look(Sequence since = 1) {
    Verdict verdict{
        .command = "pytest exited with code 1", .lasted = 2s, .services = 1, .troubles = {}, .unknown = {}};
    look_for_troubles(verdict, journal, since, begun);
    return verdict;
  }
};

TEST_F(VerdictTest, what_happened_to_a_service_is_told_apart) {
  write("a", State::stopping, State::backoff, "a killed by SIGSEGV");
  write("b", State::stopping, State::failed, "b killed by SIGKILL (out of memory)");
  write("c", State::ready, State::unready, "nobody listens on port 80");
  write("d", State::ready, State::unready, "the probe says no");
  const Verdict verdict = look();
  ASSERT_EQ(verdict.troubles.size(), 4U);
  EXPECT_EQ(verdict.troubles[0].what, "died");
  EXPECT_EQ(verdict.troubles[1].what, "was killed for lack of memory");
  EXPECT_EQ(verdict.troubles[2].what, "lost its port");
  EXPECT_EQ(verdict.troubles[3].what, "became unready");
  EXPECT_THAT(
      text_of(verdict),
      StartsWith("pytest exited with code 1 after 2.0 s; the stack was not as it should be:\n  a died "));
  EXPECT_THAT(summary_of(verdict), HasSubstr("(and 3 more)"));
}

TEST_F(VerdictTest, a_start_and_what_was_asked_for_are_no_trouble) {
  write("a", State::waiting, State::starting, "");
  write("a", State::ready, State::stopping, "stopped by command");
  write("a", State::stopping, State::inactive, "stopped by command");
  write("a", State::stopping, State::backoff, "a killed by SIGKILL, as `belfry kill` asked");
  EXPECT_THAT(look().troubles, IsEmpty());
  EXPECT_EQ(summary_of(look()), "no service died or became unready while the command ran");
}

TEST_F(VerdictTest, what_came_before_the_command_does_not_count) {
  write("a", State::stopping, State::backoff, "died");
  EXPECT_THAT(look(journal.next()).troubles, IsEmpty());
}

TEST_F(VerdictTest, a_journal_that_has_lost_the_beginning_says_so) {
  for (int i = 0; i < 1000; ++i) write("a", State::waiting, State::starting, "");
  EXPECT_THAT(summary_of(look()), StartsWith("nobody knows: "));
}

TEST_F(VerdictTest, annotations_are_escaped) {
  write("a,b", State::stopping, State::failed, "100%");
  EXPECT_THAT(github_annotations(look()), StartsWith("::error title=a%2Cb died::a,b died "));
  EXPECT_THAT(github_annotations(look()), HasSubstr(": 100%25; pytest exited with code 1\n"));
  EXPECT_THAT(code_quality_report(look(), "shop.yaml"), HasSubstr(R"("location": {"path": "shop.yaml")"));
  EXPECT_EQ(code_quality_report(Verdict{}, "x"), "[]\n");
}

TEST_F(VerdictTest, a_property_goes_into_the_first_suite_of_a_report) {
  write("a", State::stopping, State::failed, "a < b");
  const Verdict verdict = look();
  const auto with = [&verdict](std::string_view report) {
    return with_junit_property(report, verdict).value_or("none");
  };
  EXPECT_THAT(with("<testsuites><testsuite name='a>b'><testcase/></testsuite></testsuites>"),
              HasSubstr("<testsuite name='a>b'><properties><property name=\"belfry.verdict\""));
  EXPECT_THAT(with("<testsuite>\n <properties><property name=\"x\"/></properties></testsuite>"),
              HasSubstr("<properties><property name=\"belfry.verdict\""));
  EXPECT_THAT(with("<testsuite/>"), HasSubstr("/></properties></testsuite>"));
  EXPECT_THAT(with("<testsuite/>"), HasSubstr("a &lt; b"));
  EXPECT_EQ(with("<testsuites/>"), "none");
  EXPECT_EQ(with("<testsuite name='"), "none");
}

}  // namespace
}  // namespace belfry::daemon
