#include "text/escape.hpp"

#include <gtest/gtest.h>

#include "text/utf8.hpp"

namespace belfry::text {
namespace {

struct Hostile {
  const char* what;
  std::string text;
  std::string shown;  // by visible()
  std::string json;
};

const Hostile hostile[] = {
    {"a colour (CSI)", "a\x1b[31mb", "a\uFFFD[31mb", R"("a\u001b[31mb")"},
    {"a title (OSC)", "\x1b]0;owned\x07", "\uFFFD]0;owned\uFFFD", R"("\u001b]0;owned\u0007")"},
    {"a device control string", "\x1bP1$r\x1b\\", "\uFFFDP1$r\uFFFD\\", R"("\u001bP1$r\u001b\\")"},
    {"NUL", std::string("a\0b", 3), "a\uFFFDb", R"("a\u0000b")"},
    {"the end of a line", "a\nb\rc", "a\uFFFDb\uFFFDc", R"("a\nb\rc")"},
    {"a backspace", "a\bb", "a\uFFFDb", R"("a\u0008b")"},
    {"DEL", "a\x7F", "a\uFFFD", R"("a\u007f")"},
    {"CSI as one C1 control", "\xC2\x9B", "\uFFFD", R"("\u009b")"},
    {"NEL", "\xC2\x85", "\uFFFD", R"("\u0085")"},
    {"a C1 byte that is not UTF-8", "\x9B", "\uFFFD", "\"\uFFFD\""},
    {"a character cut short", "\xE2\x82", "\uFFFD\uFFFD", "\"\uFFFD\uFFFD\""},
    {"a right-to-left override", "\u202Etxt.exe\u202C", "\uFFFDtxt.exe\uFFFD", R"("\u202etxt.exe\u202c")"},
    {"an isolate", "\u2066a\u2069", "\uFFFDa\uFFFD", R"("\u2066a\u2069")"},
    {"marks of direction", "\u200E\u200F\u061C", "\uFFFD\uFFFD\uFFFD", R"("\u200e\u200f\u061c")"},
    {"separators of lines", "\u2028\u2029", "\uFFFD\uFFFD", R"("\u2028\u2029")"},
};

TEST(Escape, nothing_hostile_reaches_a_terminal) {
  for (const Hostile& one : hostile) EXPECT_EQ(visible(one.text), one.shown) << one.what;
}

TEST(Escape, json_carries_everything_hostile_as_an_escape) {
  for (const Hostile& one : hostile) EXPECT_EQ(json_string(one.text), one.json) << one.what;
}

TEST(Escape, what_people_write_is_left_alone) {
  for (const char* text :
       {"", "plain", "a\tb", "gr\u00FC\u00DF", "\u20AC 5", "\U0001F514", "שלום", "日本語"}) {
    EXPECT_EQ(visible(text), text);
    EXPECT_EQ(visible_json(text), text);
  }
  EXPECT_EQ(json_string("a\"b\\c\td"), R"("a\"b\\c\td")");
}

TEST(Escape, every_code_point_is_shown_or_replaced_and_none_of_a_control_is_left) {
  for (char32_t code = 0; code < 0x3000; ++code) {
    std::string encoded;
    if (code < 0x80) {
      encoded += static_cast<char>(code);
    } else if (code < 0x800) {
      (encoded += static_cast<char>(0xC0U | (code >> 6U))) += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
      (encoded += static_cast<char>(0xE0U | (code >> 12U))) +=
          static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
      encoded += static_cast<char>(0x80U | (code & 0x3FU));
    }
    const std::string shown = visible(encoded);
    EXPECT_FALSE(is_obeyed(first_character(shown).code)) << static_cast<unsigned>(code);
    EXPECT_EQ(shown == encoded, !is_obeyed(code)) << static_cast<unsigned>(code);
  }
}

TEST(Escape, lines_stay_lines) {
  EXPECT_EQ(visible_lines("a\x1b\n\nb\r\n"), "a\uFFFD\n\nb\uFFFD\n");
  EXPECT_EQ(visible_lines(""), "");
}

TEST(Escape, a_text_in_pieces_between_characters_is_the_same_text) {
  const std::string text = "a\x1b[31m\u202E\u00FC\xFF-";
  std::string pieces;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = first_character(rest).length;
    append_visible(pieces, rest.substr(0, length));
    rest.remove_prefix(length);
  }
  EXPECT_EQ(pieces, visible(text));
}

TEST(Escape, what_is_not_plain_is_found_wherever_it_stands) {
  for (int code = 0; code < 256; ++code) {
    const char byte = static_cast<char>(code);
    const std::string alone(1, byte);
    const std::string escaped = json_string(alone).substr(1, json_string(alone).size() - 2);
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string front(before, 'a'), behind(11, 'z');
      EXPECT_EQ(json_string(front + alone + behind), '"' + front + escaped + behind + '"')
          << code << " " << before;
      EXPECT_EQ(visible(front + alone + behind), front + visible(alone) + behind) << code << " " << before;
    }
  }
}

TEST(Escape, a_foreign_json_document_means_the_same_and_is_harmless) {
  EXPECT_EQ(visible_json("{\n  \"a\": \"\x7F\u202E\"\n}\n"), "{\n  \"a\": \"\\u007f\\u202e\"\n}\n");
  EXPECT_EQ(visible_json("\x1b]0;x\x07\x9B"), "\\u001b]0;x\\u0007\uFFFD");
}

}  // namespace
}  // namespace belfry::text
