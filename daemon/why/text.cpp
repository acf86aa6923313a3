#include "daemon/why/text.hpp"

#include <algorithm>

#include "daemon/why/sentence.hpp"
#include "text/escape.hpp"
#include "text/width.hpp"

namespace belfry::daemon {

namespace {

void pad(std::string& line, std::size_t to) {
  const std::size_t width = text::display_width(line);
  line.append(to > width ? to - width : 0, ' ');
}

// Where a deep chain stops being indented further.
constexpr std::size_t deepest_indent = 10;

std::string name_column(const ChainLine& line) {
  const std::size_t depth = std::min(line.depth, deepest_indent);
  return std::string(depth * 2, ' ') + (depth > 0 ? "└ " : "") + line.service;
}

void add_chain(std::string& out, const Explanation& explanation) {
  std::size_t names = 0;
  for (const ChainLine& line : explanation.chain)
    names = std::max(names, text::display_width(name_column(line)));
  out += "\n";
  for (const ChainLine& line : explanation.chain) {
    std::string text = line.is_culprit ? "▶ " : "  ";
    text += name_column(line);
    pad(text, names + 4);
    text += name_of(line.state);
    pad(text, names + 14);
    text += span_text(line.for_long);
    pad(text, names + 26);
    out += text + line.text + "\n";
  }
  if (explanation.left_out > 0)
    out += "  and " + std::to_string(explanation.left_out) + " more (`belfry status` shows them)\n";
}

void add_section(std::string& out, const std::string& title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  out += "\n" + title + ":\n";
  for (const std::string& line : lines) out += "  " + line + "\n";
}

std::vector<std::string> evidence_of(const Explanation& explanation) {
  std::vector<std::string> lines;
  lines.reserve(explanation.evidence.size());
  for (const EvidenceLine& one : explanation.evidence) {
    std::string line = one.label + ":";
    pad(line, 12);
    lines.push_back(line + one.text);
  }
  return lines;
}

}  // namespace

std::string text_of(const Explanation& explanation) {
  return text::visible(explanation.headline) + "\n" + details_of(explanation);
}

std::string causes_below(const Explanation& explanation) {
  std::string text;
  for (const ChainLine& line : explanation.chain)
    if (line.depth > 0) text.append(text.empty() ? "" : "; ").append(line.service + " " + line.text);
  return text::visible(text);
}

std::string details_of(const Explanation& explanation) {
  std::string out;
  if (!explanation.chain.empty()) add_chain(out, explanation);
  add_section(out, "what is known of " + explanation.culprit, evidence_of(explanation));
  add_section(out, "its last lines", explanation.log);
  std::vector<std::string> next;
  next.reserve(explanation.next.size());
  for (const NextLine& one : explanation.next) next.push_back(one.text);
  add_section(out, "what comes next", next);
  add_section(out, "what would help", explanation.help);
  return text::visible_lines(out);
}

}  // namespace belfry::daemon
