// belfry completion: generated from the options themselves, so that it cannot lag behind them.
#include <iostream>

#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"

namespace belfry::cli {
namespace {

// Completes the names of services by asking the daemon that a plain `belfry status` would ask.
constexpr std::string_view service_names =
    "belfry status 2>/dev/null | awk 'table && NF == 0 {exit} table {print $1} $1 == \"NAME\" {table = 1}'";

std::string words(const std::vector<std::string>& list) {
  std::string line;
  for (const std::string& word : list) (line += line.empty() ? "" : " ") += word;
  return line;
}

bool takes_services(std::string_view command) {
  for (const std::string_view one : {"status", "wait", "start", "stop", "restart", "kill", "reload"}) {
    if (command == one) return true;
  }
  return false;
}

void bash_case(const CommandOptions& command) {
  std::cout << "    " << command.command << ") words=\"" << words(command.options);
  if (takes_services(command.command)) std::cout << " $(" << service_names << ")";
  if (command.command == "completion") std::cout << " bash zsh fish";
  if (command.command == "import") std::cout << " compose process-compose procfile";
  std::cout << "\" ;;\n";
}

void bash() {
  std::vector<std::string> names;
  for (const CommandOptions& command : all_commands()) names.push_back(command.command);
  std::cout
      << "# belfry completion for bash: source <(belfry completion bash)\n"
         "_belfry() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
         "  case $previous in -c|--file|--socket) COMPREPLY=($(compgen -f -- \"$word\")); return ;; esac\n"
         "  case ${COMP_WORDS[1]} in\n";
  for (const CommandOptions& command : all_commands()) bash_case(command);
  std::cout << "  esac\n"
               "  [ \"$COMP_CWORD\" -eq 1 ] && words=\"--help --version "
            << words(names)
            << "\"\n"
               "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
               "}\n"
               "complete -o default -F _belfry belfry\n";
}

void zsh() {
  std::cout << "#compdef belfry\n_belfry() {\n  local -a commands\n  commands=(\n";
  for (const CommandOptions& command : all_commands()) {
    std::cout << "    '" << command.command << ":" << command.description << "'\n";
  }
  std::cout << "  )\n"
               "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
               "  case $words[CURRENT-1] in -c|--file|--socket) _files; return ;; esac\n"
               "  case $words[2] in\n";
  for (const CommandOptions& command : all_commands()) {
    std::cout << "    " << command.command << ") compadd -- " << words(command.options);
    if (takes_services(command.command)) std::cout << " $(" << service_names << ")";
    if (command.command == "completion") std::cout << " bash zsh fish";
    if (command.command == "import") std::cout << " compose process-compose procfile";
    if (!takes_services(command.command)) std::cout << "; _files";
    std::cout << " ;;\n";
  }
  // Works both from $fpath and when it is sourced.
  std::cout << "  esac\n}\nif [ \"$funcstack[1]\" = _belfry ]; then _belfry \"$@\"; else compdef _belfry "
               "belfry; fi\n";
}

// "--json" is `-l json` to fish, "-c" is `-s c`.
std::string fish_option(const std::string& option) {
  return option.starts_with("--") ? "-l " + option.substr(2) : "-s " + option.substr(1);
}

void fish() {
  std::cout << "# belfry completion for fish\n";
  for (const CommandOptions& command : all_commands()) {
    const std::string seen = "complete -c belfry -n '__fish_seen_subcommand_from " + command.command + "'";
    std::cout << "complete -c belfry -f -n __fish_use_subcommand -a " << command.command << " -d '"
              << command.description << "'\n";
    for (const std::string& option : command.options) std::cout << seen << " " << fish_option(option) << "\n";
    if (takes_services(command.command))
      std::cout << seen << " -f -a \"("
                << "belfry status 2>/dev/null | string match -r "
                   "'^\\S+(?=\\s+(?:ready|waiting|starting|unready|stopping|backoff|completed|failed|blocked|"
                   "inactive))'"
                << ")\"\n";
    if (command.command == "completion") std::cout << seen << " -f -a 'bash zsh fish'\n";
    if (command.command == "import") std::cout << seen << " -a 'compose process-compose procfile'\n";
  }
}

}  // namespace

int completion(const Invocation& asked) {
  const std::string& shell = asked.names.front();
  shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish();
  return exit_code::ok;
}

}  // namespace belfry::cli
