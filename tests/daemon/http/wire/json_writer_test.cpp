#include "daemon/http/wire/json_writer.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon::http {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, commas_stand_between_and_nowhere_else) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("a").number(-1);
  json.key("b").begin_array();
  json.begin_object();
  json.end_object();
  json.string("x");
  json.null();
  json.end_array();
  json.key("c").boolean(true);
  json.end_object();
  EXPECT_EQ(out, R"({"a":-1,"b":[{},"x",null],"c":true})");
}

TEST(JsonWriter, what_json_forbids_is_escaped) {
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01"), R"("a\"b\\c\n\r\t\u0001")");
}

TEST(JsonWriter, well_formed_text_passes_unchanged) {
  EXPECT_EQ(quoted("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x94"),
            "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x94\"");
}

TEST(JsonWriter, bytes_that_are_not_text_become_replacement_characters) {
  const std::string replaced =
      "\"a\xEF\xBF\xBD"
      "b\"";
  EXPECT_EQ(quoted("a\xFF"
                   "b"),
            replaced);
  EXPECT_EQ(quoted("a\xC3"
                   "b"),
            replaced);                                                            // cut short
  EXPECT_EQ(quoted("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(quoted("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
  EXPECT_EQ(quoted("\xF0\x9F\x94"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace belfry::daemon::http
