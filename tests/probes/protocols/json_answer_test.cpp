// A place in a JSON answer, and what is no JSON at all.
#include "probes/protocols/json_answer.hpp"

#include <gtest/gtest.h>

namespace belfry::probes {
namespace {

constexpr std::string_view health =
    R"({"status": "up", "checks": [{"a/b": 1, "ok": true, "last": null}], "load": 1.5})";

std::string judged(std::string pointer, std::optional<std::string> equals, std::string_view body = health) {
  return judge_json(body, {.pointer = std::move(pointer), .equals = std::move(equals)});
}

TEST(JsonAnswer, texts_numbers_truths_and_null_are_compared_as_a_file_writes_them) {
  EXPECT_EQ(judged("/status", "up"), "");
  EXPECT_EQ(judged("/checks/0/a~1b", "1"), "");
  EXPECT_EQ(judged("/checks/0/ok", "true"), "");
  EXPECT_EQ(judged("/checks/0/last", "null"), "");
  EXPECT_EQ(judged("", "ok", "\"ok\""), "");
}

TEST(JsonAnswer, says_what_stands_there_instead) {
  EXPECT_EQ(judged("/status", "ok"), "/status is \"up\", not ok");
  EXPECT_EQ(judged("/checks/0/ok", "false"), "/checks/0/ok is true, not false");
  EXPECT_EQ(judged("/checks/0", "ok").substr(0, 13), "/checks/0 is ");
}

TEST(JsonAnswer, what_a_terminal_would_obey_is_not_told_as_it_is) {
  EXPECT_EQ(judged("/a", "ok",
                   "{\"a\": \"\xC2\x9B"
                   "2J\"}"),
            "/a is \"\\u009b2J\", not ok");
}

TEST(JsonAnswer, without_a_value_something_must_be_there) {
  EXPECT_EQ(judged("/load", std::nullopt), "");
  EXPECT_EQ(judged("/cpu", std::nullopt), "the answer has no /cpu");
  EXPECT_EQ(judged("/checks/1/ok", "true"), "the answer has no /checks/1/ok");
}

TEST(JsonAnswer, what_is_not_json_is_not_as_expected) {
  for (const std::string& body : {std::string("<html>"), std::string(), std::string("{\"status\": \"up\""),
                                  std::string(100'000, '['), std::string("{\"status\": \"\xFF\"}")})
    EXPECT_TRUE(judged("/status", "up", body).starts_with("the answer is not JSON: ")) << body.substr(0, 20);
}

TEST(JsonAnswer, a_long_value_is_not_repeated_in_whole) {
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += "ä";
  const std::string said = judged("", "x", "\"y" + many + "\"");
  EXPECT_LT(said.size(), 200U);
  EXPECT_TRUE(said.ends_with("ä…, not x")) << said;
}

}  // namespace
}  // namespace belfry::probes
