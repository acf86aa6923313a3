// What is said of a key follows from its description alone: tried on a table that is in no file.
#include <gtest/gtest.h>

#include "config/keys/not_yet.hpp"
#include "config/keys/schema.hpp"

namespace belfry::config {
namespace {

constexpr Key works{"colour", "text", "none", "The colour.", "red"};
constexpr Key refused = not_yet({"size", "text", "none", "The size.", "big"}, "`colour`");
constexpr Key half_refused = not_yet({"shape", "text", "round", "The shape.", "square"}, {}, "round");

const std::vector<Table> tables{{"toy", "A toy", "What toys have.", {&works, &refused, &half_refused}, {}}};
const std::vector<ValueType> types{{"text", "text", R"({"type": "string"})"}};

TEST(ToyTable, a_key_works_since_the_first_version_unless_it_says_otherwise) {
  EXPECT_TRUE(works.works());
  EXPECT_EQ(works.since, "0.1");
  EXPECT_FALSE(refused.works());
}

TEST(ToyTable, the_reference_page_marks_what_does_not_work_yet) {
  const std::string page = reference_markdown("# Toys\n", tables, types);
  EXPECT_TRUE(page.starts_with("# Toys\n")) << page;
  EXPECT_TRUE(page.contains("| `colour` | text | none | The colour. | `colour: red` |")) << page;
  EXPECT_TRUE(page.contains("| **Not yet**: this version refuses it; meanwhile `colour`. The size. |"))
      << page;
  EXPECT_TRUE(page.contains("| **Not yet**: this version refuses it, except `round`. The shape. |")) << page;
}

TEST(ToyTable, the_schema_says_it_in_the_description) {
  const std::string schema = schema_json(tables, types);
  EXPECT_TRUE(schema.contains(R"("The colour. Default: none.")")) << schema;
  EXPECT_TRUE(
      schema.contains(R"("The size. Default: none. Not supported by this version yet: it is refused.")"))
      << schema;
  EXPECT_TRUE(schema.contains("it is refused, except `round`.")) << schema;
}

TEST(ToyTable, a_refusal_names_the_key_and_the_next_step) {
  EXPECT_EQ(refusal_of({{}, &refused, "`toy`"}),
            "cannot use `toy.size`: this version does not support it yet");
  EXPECT_EQ(refusal_of({{}, &refused, "a toy"}),
            "cannot use `size` of a toy: this version does not support it yet");
  EXPECT_EQ(help_of({{}, &refused, "`toy`"}), "use `colour`, or a version that has it");
  EXPECT_EQ(help_of({{}, &half_refused, "`toy`"}), "write `round`, or use a version that has the others");
}

}  // namespace
}  // namespace belfry::config
