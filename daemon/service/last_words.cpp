#include "daemon/service/last_words.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "daemon/service/ports_in_text.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

namespace {

using Words = std::initializer_list<std::string_view>;

constexpr std::size_t longest_thing = 100;
constexpr std::size_t neighbours = 6;  // lines around the complaint that may name its port
// What may be said in passing, and survived, counts only at the very end.
constexpr std::size_t very_end = 3;

struct Line {
  std::string text;
  std::string lower;

  [[nodiscard]] bool has(std::string_view word) const { return lower.contains(word); }
  [[nodiscard]] bool has_any(Words words) const {
    return std::ranges::any_of(words, [this](std::string_view word) { return has(word); });
  }
};

// Without colours (ECMA-48, SGR) and what else is written for a terminal between ESC [ and a letter.
std::string without_colours(std::string_view line) {
  std::string plain;
  while (!line.empty()) {
    const std::size_t escape = std::min(line.find("\x1b["), line.size());
    plain.append(line.substr(0, escape));
    line.remove_prefix(escape);
    if (line.empty()) break;
    const std::size_t end = line.find_first_not_of("0123456789;:?", 2);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return plain;
}

std::vector<Line> lines_of(std::string_view tail) {
  std::vector<Line> lines;
  while (!tail.empty()) {
    const std::size_t end = std::min(tail.find('\n'), tail.size());
    Line line{.text = without_colours(tail.substr(0, end)), .lower = {}};
    tail.remove_prefix(std::min(end + 1, tail.size()));
    if (line.text.find_first_not_of(" \t\r") == std::string::npos) continue;
    line.lower = line.text;
    std::ranges::transform(line.lower, line.lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string fit_for_a_message(std::string_view thing) {
  while (thing.ends_with('\r')) thing.remove_suffix(1);
  return text::visible(thing.substr(0, longest_thing));
}

// What stands in `line` between two marks, of which the first is given in lower case.
std::string_view between(const Line& line, std::string_view before, std::string_view after) {
  const std::size_t at = line.lower.find(before);
  if (at == std::string::npos) return {};
  const std::string_view rest = std::string_view(line.text).substr(at + before.size());
  const std::size_t end = rest.find(after);
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

LastWords says(Complaint complaint, std::string_view thing = {}) {
  return {.complaint = complaint, .thing = fit_for_a_message(thing), .ports = {}};
}

// ld.so(8) of glibc, and of musl.
LastWords of_the_loader(const Line& line) {
  for (const std::string_view mark :
       {"error while loading shared libraries: ", "error loading shared library "}) {
    const std::string_view name = between(line, mark, ":");
    if (name.empty()) continue;
    const bool foreign = line.has_any({"wrong elf class", "invalid elf header", "exec format error"});
    return says(foreign ? Complaint::library_foreign : Complaint::library_missing, name);
  }
  if (line.has("' not found (required by"))
    return says(Complaint::library_too_old, between(line, "version `", "'"));
  if (line.has("symbol lookup error") && line.has("undefined symbol: ")) {
    const std::size_t at = line.lower.find("undefined symbol: ") + 18;
    return says(Complaint::symbol_missing,
                std::string_view(line.text).substr(at, line.text.find_first_of(" ,", at) - at));
  }
  if (line.has("error relocating ")) {
    const std::string_view rest = between(line, "error relocating ", ": symbol not found");
    return says(Complaint::symbol_missing, rest.substr(std::min(rest.rfind(' ') + 1, rest.size())));
  }
  return {};
}

// The first text in quotes, be they typewriter's or, as GNU writes them in UTF-8, curved.
std::string_view quoted(std::string_view text) {
  for (const auto& [open, close] :
       {std::pair<std::string_view, std::string_view>("\u2018", "\u2019"), {"'", "'"}, {"`", "'"}}) {
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) continue;
    const std::size_t end = text.find(close, begin + open.size());
    if (end == std::string_view::npos) continue;
    return text.substr(begin + open.size(), end - begin - open.size());
  }
  return {};
}

// The end of a name is a carriage return, as it is or as somebody has written it out.
bool takes_off_carriage_return(std::string_view& name) {
  for (const std::string_view written : {"\\r", "\r", "^M"}) {
    if (!name.ends_with(written)) continue;
    name.remove_suffix(written.size());
    return true;
  }
  return false;
}

// env(1) of GNU and busybox, which is what most scripts name as their interpreter.
LastWords of_env(const Line& line) {
  if (!line.lower.starts_with("env: ") && !line.has("/env: ")) return {};
  constexpr std::string_view busybox = "can't execute ";  // the first quote of which is none
  const std::size_t at = line.lower.find(busybox);
  const std::string_view text = line.text;
  std::string_view name = quoted(at == std::string::npos ? text : text.substr(at + busybox.size()));
  if (name.empty()) return {};
  if (takes_off_carriage_return(name)) return says(Complaint::carriage_return, name);
  const bool forbidden = line.has("permission denied");
  if (!forbidden && !line.has("no such file or directory")) return {};
  if (name.contains(' ')) return says(Complaint::interpreter_words, name);
  return says(forbidden ? Complaint::command_forbidden : Complaint::interpreter_missing, name);
}

// "sh: 1: NAME", "bash: line 1: NAME", "./run.sh: 3: NAME", "bash: NAME" → NAME; empty: no shell says that.
std::string_view named_by_shell(std::string_view text) {
  const std::size_t colon = text.rfind(": ");
  if (colon == std::string_view::npos) return {};
  const std::string_view name = text.substr(colon + 2);
  std::string_view who = text.substr(0, colon);
  const std::size_t before = who.rfind(": ");
  std::string_view number = before == std::string_view::npos ? std::string_view() : who.substr(before + 2);
  if (number.starts_with("line ")) number.remove_prefix(5);
  const bool numbered = !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
  const std::size_t slash = who.rfind('/');
  if (slash != std::string_view::npos) who.remove_prefix(slash + 1);
  return numbered || who.ends_with("sh") ? name : std::string_view();
}

LastWords of_a_shell(const Line& line) {
  struct Ending {
    std::string_view text;
    Complaint complaint;
  };
  static constexpr std::array<Ending, 8> endings = {
      {{": command not found", Complaint::command_missing},
       {": not found", Complaint::command_missing},
       {": cannot execute: required file not found", Complaint::command_missing},
       {": permission denied", Complaint::command_forbidden},
       {": exec format error", Complaint::command_foreign},
       {": cannot execute binary file", Complaint::command_foreign},
       {": cannot execute binary file: exec format error", Complaint::command_foreign},
       {": no such file or directory", Complaint::command_missing}}};
  std::string_view text = line.text;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (line.has(": bad interpreter: ")) {
    std::string_view name = text.substr(0, line.lower.find(": bad interpreter: "));
    name.remove_prefix(std::min(name.rfind(": ") + 2, name.size()));
    const bool crlf = takes_off_carriage_return(name);
    return says(crlf ? Complaint::carriage_return : Complaint::interpreter_missing, name);
  }
  if (line.has("command not found: "))
    return says(Complaint::command_missing, text.substr(text.rfind(' ') + 1));
  for (const Ending& ending : endings) {
    if (!std::string_view(line.lower).substr(0, text.size()).ends_with(ending.text)) continue;
    std::string_view name = named_by_shell(text.substr(0, text.size() - ending.text.size()));
    if (name.starts_with("$'") && name.ends_with("'")) name = name.substr(2, name.size() - 3);
    if (name.empty() || name.contains(' ')) continue;  // a sentence, and no name
    if (takes_off_carriage_return(name)) return says(Complaint::carriage_return, name);
    return says(ending.complaint, name);
  }
  // "set: -\r: invalid option", "set: Illegal option -\r"
  const bool broken_option = line.has("-\r: invalid option") || line.lower.ends_with("illegal option -\r");
  return broken_option ? says(Complaint::carriage_return) : LastWords();
}

bool says_taken(const Line& line) {
  if (line.has_any(
          {"eaddrinuse", "address already in use", "address in use", "addrinuse", "connection in use: ("}))
    return true;
  return line.has("port ") && line.has_any({"already in use", "is in use", "already being used"});
}

bool says_forbidden(const Line& line) {
  return line.has_any({"permission denied", "eacces", "[errno 13]", "access denied"});
}

bool says_bind(const Line& line) { return line.has_any({"bind", "listen"}); }

// The lines around the one that complains: a traceback is above it, a hint below.
std::span<const Line> around(std::span<const Line> lines, std::size_t at) {
  const std::size_t begin = at - std::min(at, neighbours);
  return lines.subspan(begin, std::min(lines.size() - begin, 2 * neighbours + 1));
}

LastWords of_a_port(Complaint complaint, std::span<const Line> lines, std::size_t at) {
  LastWords words{.complaint = complaint, .thing = {}, .ports = ports_in(lines[at].text)};
  if (!words.ports.empty()) return words;
  for (const Line& line : around(lines, at)) {
    for (const std::uint16_t port : ports_in(line.text)) {
      if (std::ranges::find(words.ports, port) == words.ports.end()) words.ports.push_back(port);
    }
  }
  return words;
}

LastWords of_ports(std::span<const Line> lines, std::size_t at) {
  const Line& line = lines[at];
  if (says_taken(line)) return of_a_port(Complaint::port_taken, lines, at);
  if (!says_forbidden(line)) return {};
  // Python names the file, where it was one.
  const bool binds = says_bind(line) || line.lower == "permissionerror: [errno 13] permission denied";
  return binds ? of_a_port(Complaint::port_forbidden, lines, at) : LastWords();
}

LastWords of_a_limit(const Line& line) {
  const bool makes_one = line.has_any({"fork", "clone", "thread", "blockingioerror", "new process"});
  if (makes_one && line.has_any({"resource temporarily unavailable", "eagain", "cannot fork", "can't fork",
                                 "can't start new thread", "unable to create native thread"}))
    return says(Complaint::process_limit);
  if (line.has_any({"too many open files", "emfile"})) return says(Complaint::descriptor_limit);
  if (line.has_any(
          {"cannot allocate memory", "std::bad_alloc", "out of memory", "outofmemoryerror", "memoryerror"}))
    return says(Complaint::memory_short);
  if (line.has_any({"no space left on device", "enospc"})) return says(Complaint::disk_full);
  return {};
}

// In the order of how sure they are.
LastWords read_line(std::span<const Line> lines, std::size_t at) {
  LastWords words = of_the_loader(lines[at]);
  if (words.complaint == Complaint::none) words = of_env(lines[at]);
  if (words.complaint == Complaint::none) words = of_ports(lines, at);
  if (words.complaint == Complaint::none && at + very_end >= lines.size()) words = of_a_limit(lines[at]);
  if (words.complaint == Complaint::none && at + very_end >= lines.size()) words = of_a_shell(lines[at]);
  return words;
}

}  // namespace

LastWords read_last_words(std::string_view tail) {
  const std::vector<Line> lines = lines_of(tail);
  for (std::size_t at = lines.size(); at-- > 0;) {
    LastWords words = read_line(lines, at);
    if (words.complaint != Complaint::none) return words;
  }
  return {};
}

std::string text_of(const LastWords& words) {
  const std::string& thing = words.thing;
  switch (words.complaint) {
    case Complaint::none:
    case Complaint::port_taken:
    case Complaint::port_forbidden: return {};
    case Complaint::library_missing:
      return "its loader finds no library " + thing +
             " (install it, or name its directory in LD_LIBRARY_PATH)";
    case Complaint::library_too_old:
      return "its loader finds no " + thing + ": it was built for a newer library than this machine has";
    case Complaint::symbol_missing:
      return "its loader finds no symbol " + thing + ": one of its libraries has another version";
    case Complaint::library_foreign:
      return "its loader cannot use the library " + thing + ": it was built for another machine";
    case Complaint::interpreter_missing:
      return "the interpreter " + thing + " of a script does not exist here (install it, or set PATH)";
    case Complaint::interpreter_words:
      return "env looked for a program of the name \"" + thing + "\" (write #!/usr/bin/env -S " + thing + ")";
    case Complaint::carriage_return:
      return "a script ends its lines with CRLF" +
             (thing.empty() ? "" : ", so that \"" + thing + "\\r\" was looked for") +
             " (write the file with Unix line ends)";
    case Complaint::command_missing:
      return "the shell finds no command " + thing + " (install it, or set PATH)";
    case Complaint::command_forbidden:
      if (thing.contains('/')) return thing + " may not be executed";
      // The search goes on behind a directory that may not be entered, and its errno is what is said at the
      // end.
      return thing + " may not be executed, or it is not found and a directory of PATH may not be entered";
    case Complaint::command_foreign: return thing + " is no program for this machine";
    case Complaint::process_limit:
      return "it could make no further process or thread (RLIMIT_NPROC of its user, or pids_max of its "
             "cgroup)";
    case Complaint::descriptor_limit: return "it had too many files open (`rlimits: {nofile: …}`)";
    case Complaint::memory_short: return "it got no more memory";
    case Complaint::disk_full: return "no space is left on a file system that it writes to";
  }
  return {};
}

}  // namespace belfry::daemon
