#include "text/markup.hpp"

#include <gtest/gtest.h>

namespace belfry::text {
namespace {

TEST(Markup, what_tags_and_attributes_are_made_of_becomes_a_reference) {
  EXPECT_EQ(markup(R"(<img src="x" onerror='alert(1)'> & more)"),
            "&lt;img src=&quot;x&quot; onerror=&#39;alert(1)&#39;&gt; &amp; more");
  EXPECT_EQ(markup("</script><!--"), "&lt;/script&gt;&lt;!--");
  EXPECT_EQ(markup("&lt;"), "&amp;lt;");
}

TEST(Markup, what_a_terminal_would_obey_is_not_copied_out_of_a_page) {
  EXPECT_EQ(markup("a\x1b]0;owned\x07<\u202E"), "a\uFFFD]0;owned\uFFFD&lt;\uFFFD");
}

TEST(Markup, a_character_cut_short_does_not_swallow_what_follows_it) {
  EXPECT_EQ(markup("\xE2\x82<b>"), "\uFFFD\uFFFD&lt;b&gt;");
  EXPECT_EQ(markup("\xF0\"\xF0'"), "\uFFFD&quot;\uFFFD&#39;");
}

TEST(Markup, everything_else_stays_as_it_is) {
  EXPECT_EQ(markup("Grüße, 世界 ✓\t100 %"), "Grüße, 世界 ✓\t100 %");
  EXPECT_EQ(markup(""), "");
}

}  // namespace
}  // namespace belfry::text
