#include "config/import/unit_exec.hpp"

#include <algorithm>

#include "config/document/interpolate.hpp"
#include "config/import/unit_values.hpp"

namespace belfry::config {
namespace {

// `${NAME}` at the beginning of `text`: the name, else empty.
std::string_view braced(std::string_view text) {
  const auto end = text.find('}');
  if (!text.starts_with("${") || end == std::string_view::npos) return {};
  const std::string_view name = text.substr(2, end - 2);
  return is_variable_name(name) ? name : std::string_view();
}

// systemd replaces `${NAME}` anywhere, `$NAME` only where it is the whole word, and `$$` is one `$`.
CommandWord word_of(const Unit& unit, Specifiers& specifiers, const UnitSetting& at, std::string_view text,
                    bool variables) {
  using Kind = WordPart::Kind;
  if (!variables) return {{Kind::filled, specifiers.filled(unit, at, text)}};
  if (text.starts_with('$') && is_variable_name(text.substr(1)))
    return {{Kind::split_variable, std::string(text.substr(1))}};
  CommandWord word;
  std::string plain;
  const auto end_plain = [&] {
    if (!plain.empty()) word.push_back({Kind::filled, specifiers.filled(unit, at, plain)});
    plain.clear();
  };
  while (!text.empty()) {
    if (const std::string_view name = braced(text); !name.empty()) {
      end_plain();
      word.push_back({Kind::variable, std::string(name)});
      text.remove_prefix(name.size() + 3);
    } else {
      plain += text.front();
      text.remove_prefix(text.starts_with("$$") ? 2 : 1);
    }
  }
  end_plain();
  if (word.empty()) word.push_back({});
  return word;
}

// The signal of `kill -HUP $MAINPID`, `kill -s HUP $MAINPID`, `kill $MAINPID`.
std::string signal_of(const std::vector<std::string>& words) {
  if (words.size() < 2 || words.size() > 4) return {};
  const std::string_view program = words.front(), target = words.back();
  if (program != "kill" && !program.ends_with("/kill")) return {};
  if (target != "$MAINPID" && target != "${MAINPID}") return {};
  if (words.size() == 2) return "SIGTERM";
  std::string_view name = words[words.size() - 2];
  if (words.size() == 4 && words[1] != "-s" && words[1] != "--signal") return {};
  if (words.size() == 3 && !name.starts_with('-')) return {};
  if (words.size() == 3) name.remove_prefix(name.starts_with("--signal=") ? 9 : 1);
  return unit_signal(name).value_or("");
}

ExecLine line_of(const Unit& unit, Specifiers& specifiers, const UnitSetting& at,
                 std::vector<std::string> words) {
  ExecLine line;
  line.at = &at;
  std::string& path = words.front();
  const auto start = std::min(path.find_first_not_of("-@+!:|"), path.size());
  line.prefixes = path.substr(0, start);
  path.erase(0, start);
  if (path.empty()) words.erase(words.begin());
  if (words.empty()) return line;
  line.command.ignores_failure = line.prefixes.contains('-');
  if (line.prefixes.contains('@') && words.size() > 1) {
    line.has_name_of_its_own = words[1] != words[0];
    words.erase(words.begin() + 1);
  }
  line.signal = signal_of(words);
  line.names_main_process = std::ranges::any_of(words, [](const std::string& word) {
    return word.contains("$MAINPID") || word.contains("${MAINPID}");
  });
  line.command.words = exec_words(unit, specifiers, at, words, !line.prefixes.contains(':'));
  return line;
}

}  // namespace

std::vector<CommandWord> exec_words(const Unit& unit, Specifiers& specifiers, const UnitSetting& at,
                                    const std::vector<std::string>& words, bool variables) {
  std::vector<CommandWord> out;
  for (const std::string& word : words)
    out.push_back(word_of(unit, specifiers, at, word == "\\;" ? ";" : std::string_view(word), variables));
  return out;
}

std::vector<ExecLine> exec_lines(const Unit& unit, Specifiers& specifiers,
                                 const std::vector<const UnitSetting*>& lines) {
  std::vector<ExecLine> out;
  for (const UnitSetting* const at : lines) {
    bool unclosed = false;
    std::vector<std::string> words;
    const auto end_line = [&] {
      if (!words.empty()) out.push_back(line_of(unit, specifiers, *at, std::move(words)));
      words.clear();
    };
    for (std::string& word : unit_words(at->value(), unclosed)) {
      if (word == ";")
        end_line();
      else
        words.push_back(std::move(word));
    }
    end_line();
    if (!out.empty() && out.back().at == at) out.back().unclosed = unclosed;
  }
  std::erase_if(out, [](const ExecLine& line) { return line.command.words.empty(); });
  return out;
}

}  // namespace belfry::config
