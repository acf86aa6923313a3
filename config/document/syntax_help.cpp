#include "config/document/syntax_help.hpp"

#include <array>

namespace belfry::config {
namespace {

// yaml-cpp says what its grammar missed; people need what they probably did.
struct Row {
  std::string_view begins;  // of yaml-cpp's message
  Explanation explanation;
};

constexpr auto explanations = std::to_array<Row>({
    {"end of map not found",
     {"this line does not belong to the mapping above it",
      "check its indentation: keys of one mapping start in one column; and that the line before "
      "has its `:`"}},
    {"end of map flow not found", {"`{` is never closed", "add `}`, or quote what contains `{`, `}` or `,`"}},
    {"end of sequence not found",
     {"this line does not belong to the list above it",
      "check its indentation: every item of a list starts with `- ` in one column"}},
    {"end of sequence flow not found",
     {"`[` is never closed", "add `]`, or quote what contains `[`, `]` or `,`"}},
    {"illegal map value",
     {"a second `: ` on one line, or a value that is indented too far",
      "quote the text if the `:` belongs to it"}},
    {"illegal map key", {"a mapping cannot begin here", "put it on a line of its own, indented"}},
    {"illegal block entry", {"`- ` cannot begin a list here", "put the list on a line of its own, indented"}},
    {"illegal flow end", {"`]` or `}` closes nothing", "remove it, or quote the text it belongs to"}},
    {"illegal tab", {"a tab cannot indent YAML", "indent with spaces"}},
    {"illegal document indicator", {"`---` or `...` inside a quoted text", "close the quote before it"}},
    {"illegal EOF in scalar", {"a quote is never closed", "add the closing quote"}},
    {"unknown escape character",
     {"this escape is unknown in double quotes", "write a backslash as `\\\\`, or use single quotes"}},
    {"the referenced anchor is not defined",
     {"no anchor has this name",
      "define it before it is used: `&name`; or quote a text that begins with `*`"}},
    {"alias not found", {"`*` needs a name", "quote a text that begins with `*`"}},
    {"anchor not found", {"`&` needs a name", "quote a text that begins with `&`"}},
    {"unknown token", {"this character cannot begin a value", "quote the text"}},
    {"illegal character in scalar", {"a character that cannot stand here", "quote the text"}},
    {"cannot assign multiple anchors", {"two anchors for one value", "keep one of them"}},
    {"cannot assign multiple tags", {"two tags for one value", "remove them"}},
    {"aliases can't have any content", {"an alias with an anchor or a tag", "remove the anchor or the tag"}},
});

// The parser stumbles over the consequence; these two causes are seen in the text itself.
Explanation likely_slip(const Source& source, std::uint32_t line) {
  const std::string_view here = source.line(line);
  const std::string_view indent = here.substr(0, here.find_first_not_of(" \t"));
  if (indent.contains('\t')) return {"this line is indented with a tab", "indent with spaces"};
  const std::string_view before = line > 1 ? source.line(line - 1) : std::string_view();
  const auto start = before.find_first_not_of(" -");
  const auto colon = before.find(':');
  if (start == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= before.size())
    return {};
  const bool word = before.find_first_of(" \"'{}[]#/", start) > colon;
  if (word && before[colon + 1] != ' ' && before[colon + 1] != ':' && before[colon + 1] != '/' &&
      before[colon + 1] != '\\')
    return {"the line above has a `:` without a space behind it", "write `KEY: VALUE` there"};
  return {};
}

}  // namespace

Explanation explain(std::string_view message, const Source& source, std::uint32_t line) {
  if (const Explanation likely = likely_slip(source, line); !likely.message.empty()) return likely;
  for (const Row& row : explanations)
    if (message.starts_with(row.begins)) return row.explanation;
  return {{}, "check indentation and quotes on this line"};
}

}  // namespace belfry::config
