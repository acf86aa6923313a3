// Completion for fish.
#include <algorithm>

#include "cli/completion.hpp"

namespace belfry::cli {
namespace {

std::string quoted_for_fish(std::string_view text) { return quoted(text, "\\'"); }

// What `complete` takes for it; it offers files by itself unless `-f` or `-x` forbids.
std::string offer(Wanted wanted, const std::string& words) {
  switch (wanted) {
    case Wanted::words: return "-f -a " + quoted_for_fish(words);
    case Wanted::files: return "-F";
    case Wanted::services: return "-f -a '(__belfry_services)'";
    case Wanted::file_services: return "-f -a '(__belfry_file_services)'";
    case Wanted::nothing: break;
  }
  return "-f";
}

// "--json" is `-l json` to fish, "-c" is `-s c`.
std::string name_of(const std::string& option) {
  return option.starts_with("--") ? "-l " + option.substr(2) : "-s " + option.substr(1);
}

std::string value_of(const Completed& command, const std::string& option) {
  for (const Completed::Value& value : command.values)
    if (value.option == option) return " -r " + offer(value.wanted, value.words);
  return "";
}

std::string rules(const Completed& command) {
  const std::string rule = "complete -c belfry -n ";
  const std::string in = rule + "'__belfry_in " + command.command + "' ";
  const std::string at_first = rule + "'__belfry_in " + command.command + " 2' ";
  std::string out = rule + "'__belfry_words 1' -f -a " + command.command + " -d " +
                    quoted_for_fish(command.description) + "\n";
  std::string names = command.options;
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find(' ', at), names.size());
    const std::string option = names.substr(at, end - at);
    out += in + name_of(option) + value_of(command, option) + "\n";
    at = end + 1;
  }
  if (command.first == command.rest) return out + in + offer(command.rest, "") + "\n";
  out += at_first + offer(command.first, command.first_words) + "\n";
  if (command.rest != Wanted::nothing)
    out += rule + "'__belfry_in " + command.command + "; and not __belfry_words 2' " +
           offer(command.rest, "") + "\n";
  return out;
}

// In front of `--`, in a command, and there with so many words already; behind it the rest is a command line
// of its own.
constexpr std::string_view functions = R"sh(# belfry completion for fish
function __belfry_words
    test (count (commandline -opc)) -eq $argv[1]
end
function __belfry_in
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]; and not contains -- -- $words
    and begin
        test (count $argv) -lt 2; or test (count $words) -eq $argv[2]
    end
end
function __belfry_behind
    set -l words (commandline -opc)
    contains -- -- $words; and contains -- "$words[2]" run exec wait
end
function __belfry_command
    set -l words (commandline -opc)
    set -l behind (contains -i -- -- $words)
    set -l line
    if test $behind -lt (count $words)
        set line (string escape -- $words[(math $behind + 1)..-1])
    end
    complete -C (string join ' ' -- $line (commandline -ct))
end
)sh";

}  // namespace

std::string fish_completion() {
  std::string out(functions);
  out += "function __belfry_services\n    " + std::string(list_services) + "\nend\n";
  out += "function __belfry_file_services\n    " + std::string(list_file_services) + "\nend\n";
  out +=
      "complete -c belfry -f\ncomplete -c belfry -n '__belfry_words 1' -l help\n"
      "complete -c belfry -n '__belfry_words 1' -l version\n"
      "complete -c belfry -n __belfry_behind -f -a '(__belfry_command)'\n";
  for (const Completed& command : completed_commands()) out += rules(command);
  return out;
}

}  // namespace belfry::cli
