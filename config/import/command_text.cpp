#include "config/import/command_text.hpp"

#include <algorithm>

#include "config/import/writer.hpp"

namespace belfry::config {
namespace {

// A text as one word of a shell; its `$` are doubled and stay so.
std::string quoted(std::string_view text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_./-:=,+@%").contains(c);
  });
  if (plain) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Where `${…}` of belfry stand they are put into double quotes, so that they stay one word.
std::string quoted_filled(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t start = text.find("${");
    // `$${` is an escape: the `${` behind an odd number of `$` is not belfry's.
    while (start != std::string_view::npos) {
      const std::size_t before = text.find_last_not_of('$', start);
      const std::size_t dollars = start - (before == std::string_view::npos ? 0 : before + 1);
      if (dollars % 2 == 0) break;
      start = text.find("${", start + 2);
    }
    if (start != 0) out += quoted(text.substr(0, start));
    if (start == std::string_view::npos) break;
    const std::size_t end = std::min(text.size(), text.find('}', start) + 1);
    out += "\"" + std::string(text.substr(start, end - start)) + "\"";
    text.remove_prefix(end);
  }
  return out.empty() ? "''" : out;
}

std::string shell_word(const CommandWord& word) {
  std::string out;
  for (const WordPart& part : word) {
    if (part.kind == WordPart::Kind::filled)
      out += part.text.empty() && word.size() > 1 ? "" : quoted_filled(part.text);
    else if (part.kind == WordPart::Kind::variable)
      out += "\"$${" + part.text + "}\"";
    else
      out += "$$" + part.text;
  }
  return out.empty() ? "''" : out;
}

bool splits(const OneCommand& command) {
  return std::ranges::any_of(command.words, [](const CommandWord& word) {
    return std::ranges::any_of(
        word, [](const WordPart& part) { return part.kind == WordPart::Kind::split_variable; });
  });
}

}  // namespace

bool needs_shell(const OneCommand& command) {
  return command.ignores_failure || std::ranges::any_of(command.words, [](const CommandWord& word) {
           return std::ranges::any_of(
               word, [](const WordPart& part) { return part.kind != WordPart::Kind::filled; });
         });
}

std::string commands_text(std::span<const OneCommand> commands, bool stays) {
  if (commands.size() == 1 && !needs_shell(commands.front())) {
    std::vector<std::string> words;
    for (const CommandWord& word : commands.front().words) {
      std::string& text = words.emplace_back();
      for (const WordPart& part : word) text += part.text;
    }
    return yaml_list(words);
  }
  // What a variable holds is split into words, and not looked up as names of files.
  std::string script = std::ranges::any_of(commands, splits) ? "set -f; " : "";
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const bool last = i + 1 == commands.size();
    if (i > 0) script += " && ";
    std::string line;
    for (const CommandWord& word : commands[i].words) line += (line.empty() ? "" : " ") + shell_word(word);
    if (commands[i].ignores_failure)
      script += last && commands.size() == 1 ? line + " || :" : "{ " + line + " || :; }";
    else
      script += (last && stays ? "exec " : "") + line;
  }
  return yaml_list({"sh", "-c", script});
}

}  // namespace belfry::config
