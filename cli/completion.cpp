// belfry completion.
#include "cli/completion.hpp"

#include <algorithm>
#include <iostream>

#include "cli/commands.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::cli {
namespace {

template <class List>
std::string joined(const List& list) {
  std::string line;
  for (const auto& word : list) (line += line.empty() ? "" : " ") += word;
  return line;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

Completed::Value value_of(const std::string& command, const std::string& option) {
  if (const auto choices = choices_of(command, option); !choices.empty())
    return {option, Wanted::words, joined(choices)};
  if (is_one_of(option, {"--for", "--condition"}))
    return {option, Wanted::words, "started ready completed stopped"};
  const bool file = is_one_of(
      option, {"-c", "--file", "--socket", "--times", "--logs", "--junit", "--svg", "--html", "--dashboard",
               "--report", "--output", "-o", "--trace", "--history", "--ca", "--cert", "--key"});
  return {option, file ? Wanted::files : Wanted::nothing, ""};
}

void set_arguments(Completed& out, const std::string& topics) {
  if (out.command == "help" || !choices_of(out.command, "").empty()) {
    out.first = Wanted::words;
    out.first_words = out.command == "help" ? topics : joined(choices_of(out.command, ""));
    out.rest = out.command == "import" ? Wanted::files : Wanted::nothing;
  } else if (is_one_of(out.command, {"check", "graph", "init"})) {
    out.first = out.rest = Wanted::files;
  } else if (is_one_of(out.command, {"run", "exec", "up"})) {
    out.first = out.rest = Wanted::file_services;
  } else if (!is_one_of(out.command,
                        {"shutdown", "version", "down", "ls", "attach", "analyze", "report", "dashboard"})) {
    out.first = out.rest = Wanted::services;
  }
}

}  // namespace

std::vector<Completed> completed_commands() {
  const std::vector<CommandOptions> commands = all_commands();
  std::string topics;
  for (const CommandOptions& command : commands) (topics += topics.empty() ? "" : " ") += command.command;
  std::vector<Completed> all;
  for (const CommandOptions& command : commands) {
    Completed& one = all.emplace_back();
    one.command = command.command;
    one.description = command.description;
    one.options = joined(command.options);
    for (const std::string& option : command.with_value) one.values.push_back(value_of(one.command, option));
    set_arguments(one, topics);
  }
  return all;
}

std::string quoted(std::string_view text, std::string_view quote) {
  std::string out = "'";
  for (const char c : text) c == '\'' ? out += quote : out += c;
  return out + "'";
}

int completion(const Invocation& asked) {
  const std::string& shell = asked.names.front();
  std::cout << (shell == "bash" ? bash_completion() : shell == "zsh" ? zsh_completion() : fish_completion());
  return exit_code::ok;
}

}  // namespace belfry::cli
