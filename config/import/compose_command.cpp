// What a service of a compose file runs.
#include <algorithm>

#include "config/import/compose_image.hpp"
#include "config/import/compose_service.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

// The first `;`, `&`, `|`, `<` or `>` outside quotes: compose reads a line only up to there.
bool has_operator(std::string_view line) {
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'')
      ++i;
    else if (quote != '\0')
      quote = c == quote ? '\0' : quote;
    else if (c == '\'' || c == '"')
      quote = c;
    else if (std::string_view(";&|<>").contains(c))
      return true;
  }
  return false;
}

}  // namespace

bool is_word_for_shell(const std::vector<std::string>& words) {
  return std::ranges::any_of(
      words, [](const std::string& word) { return word == "&&" || word == "||" || word == "|"; });
}

std::vector<std::string> ComposeService::words(const Node& node) {
  return node.is_scalar() ? split_words(node.text()).words : Carrier::texts(node);
}

// `npm ci && npm start` as a line: no shell reads it there, and one was meant.
bool ComposeService::line_for_shell() {
  bool found = false;
  for (const std::string_view name : {"entrypoint", "command"}) {
    const Node* const node = find(name);
    if (node == nullptr || node->is_mapping()) continue;
    const bool line = node->is_scalar() && has_operator(node->text());
    if (!line && (node->is_scalar() || !is_word_for_shell(words(*node)))) continue;
    const Node* const other = find(name == "command" ? "entrypoint" : "command");
    const bool alone = line && (other == nullptr || words(*other).empty());
    left(*node, name,
         alone ? "compose reads it without a shell, up to the first operator; here a shell reads it"
               : "a `&&`, `||` or `|` of it is an argument, no shell reads it: write [sh, -c, ...]");
    out_.comment(alone ? "decide: a line for a shell, which compose does not give it"
                       : "decide: operators of a shell that are arguments here, as in compose");
    if (alone) out_.key("command", yaml_list({"sh", "-c", std::string(node->text())}));
    found = found || alone;
  }
  return found;
}

void ComposeService::command() {
  if (line_for_shell()) return;
  const Node* const entrypoint = find("entrypoint");
  const Node* const given = find("command");
  if (entrypoint != nullptr) command_ = words(*entrypoint);
  const std::vector<std::string> arguments = given == nullptr ? std::vector<std::string>() : words(*given);
  command_.insert(command_.end(), arguments.begin(), arguments.end());
  if (command_.empty()) return missing_command();
  const bool whole = entrypoint == nullptr || words(*entrypoint).empty();
  if (whole && image_ != nullptr) command_ = command_in_image(*image_, std::move(command_));
  if (command_.front().starts_with('-')) {
    out_.comment("decide: the program that the image puts before these options");
    command_.insert(command_.begin(), "/path/to/" + out_.name());
    file_.carrier.left(key_, "the program", "the image brought it: write it before its options", key_.text());
  }
  // Variables are replaced first and the line is split afterwards, there and here.
  const bool line =
      whole && given != nullptr && given->is_scalar() && given->text().contains('$') && command_ == arguments;
  out_.key("command", line ? text::json_string(given->text()) : yaml_list(command_));
}

void ComposeService::missing_command() {
  const std::string image(text("image"));
  out_.comment(find("extends") != nullptr ? "decide: what the service runs that this one extends"
               : image.empty()            ? "decide: what the image built here runs"
                                          : "decide: what the image " + image + " runs");
  command_ =
      image_ == nullptr ? std::vector<std::string>{"/path/to/" + out_.name()} : command_in_image(*image_, {});
  out_.key("command", yaml_list(command_));
  file_.carrier.left(key_, "the command", "the image brought it: write it into the file", key_.text());
}

}  // namespace belfry::config
