// Commands and KEY=VALUE pairs.
#include <algorithm>
#include <unordered_set>

#include "config/document/words.hpp"
#include "config/keys/decoder.hpp"
#include "config/keys/text_traps.hpp"

namespace belfry::config {

std::vector<std::string> Decoder::command(const Node& node) {
  if (node.is_mapping()) {
    mismatch(node, "a command", "write a list, [program, argument], or a line that is split into words");
    return {};
  }
  std::vector<std::string> words;
  if (node.is_sequence()) {
    words = texts(node);
    if (words.size() != node.size) return {};  // reported already
  } else {
    const auto line = free_text(node);
    if (!line) return {};
    Words split = split_words(*line);
    if (split.unclosed) {
      const bool backslash = (*line)[*split.unclosed] == '\\';
      diagnostics_.error(
          "bad-command", span_inside(node, *line == node.text() ? *split.unclosed : 0, 1),
          backslash ? "this command ends in a backslash" : "a quote in this command is never closed",
          backslash ? "remove it" : "close it, or write the command as a list");
      return {};
    }
    if (split.shell_syntax) warn_of_shell(node, *line, *split.shell_syntax, split.shell_token);
    words = std::move(split.words);
  }
  if (words.empty() || words.front().empty()) {
    error("bad-command", node, "this command is empty",
          "write the program and its arguments: [program, argument]");
    return {};
  }
  return words;
}

void Decoder::warn_of_shell(const Node& node, std::string_view line, std::size_t offset,
                            std::string_view token) {
  std::string quoted;
  for (const char c : node.text().substr(0, 200))
    quoted += c == '\'' ? std::string("''") : std::string(1, c == '\n' ? ' ' : c);
  const Span at = line == node.text() ? span_inside(node, offset, token.size()) : node.span();
  diagnostics_.warning(
      "shell-syntax", at,
      "no shell reads this command: " + quote(token) + " is passed to the program as it is",
      "for a shell write [sh, -c, '" + quoted + "']; for the plain text put " + quote(token) + " in quotes");
}

void Decoder::pair_from_text(const Node& item, std::string_view what, std::unordered_set<std::string>& seen,
                             Pairs& out) {
  const auto value = text(item);
  if (!value) return;
  const auto equals = value->find('=');
  std::string name = value->substr(0, equals);
  if (name.empty() || name.find_first_of(" \t") != std::string::npos) {
    // What was meant to be a value may be in it; a variable is shown by its name.
    error("bad-value", item,
          (from_variables(item) ? quote(*value) : std::string("this")) + " is not of the form KEY=VALUE",
          "write `- KEY=VALUE`, or a mapping `KEY: VALUE`");
    return;
  }
  if (!seen.insert(name).second) {
    error("duplicate-key", item, quote(name) + " is there twice in " + std::string(what), "keep one of them");
    return;
  }
  if (equals != std::string::npos)
    out.emplace_back(std::move(name), value->substr(equals + 1));
  else if (auto inherited = variable(name, item))
    out.emplace_back(std::move(name), std::move(*inherited));
}

Pairs Decoder::pairs(const Node& node, std::string_view what) {
  Pairs out;
  if (node.is_sequence()) {
    std::unordered_set<std::string> seen;
    for (const Node* item : node.items()) pair_from_text(*item, what, seen, out);
    return out;
  }
  if (!node.is_mapping()) {
    mismatch(node, "a mapping or a list of KEY=VALUE");
    return out;
  }
  out.reserve(node.size);
  for (const Entry& entry : node.entries()) {
    std::string name(entry.key->text());
    if (name.empty() || name.contains('=')) {
      error("bad-value", *entry.key, quote(name) + " cannot be a name in " + std::string(what),
            "a name is not empty and has no `=`");
    } else if (entry.value->is_null()) {
      if (auto inherited = variable(name, *entry.key))
        out.emplace_back(std::move(name), std::move(*inherited));
    } else if (auto value = free_text(*entry.value)) {
      warn_of_trap(*entry.key, name);
      out.emplace_back(std::move(name), std::move(*value));
    }
  }
  return out;
}

}  // namespace belfry::config
