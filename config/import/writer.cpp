#include "config/import/writer.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "config/decode.hpp"
#include "config/json.hpp"
#include "config/words.hpp"

namespace belfry::config {

std::string yaml_text(std::string_view text) {
  constexpr std::array<std::string_view, 12> reserved{"true", "false", "null", "yes", "no",  "on",
                                                      "off",  "y",     "n",    "~",   "inf", "nan"};
  auto const lower = [&] {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  };
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool const option = text.size() > 1 && text.front() == '-' &&
                      text.find_first_not_of('-') != std::string_view::npos &&
                      letter(text[text.find_first_not_of('-')]);
  bool const safe_start =
      !text.empty() && (letter(text.front()) || text.front() == '/' || text.starts_with("./") || option);
  bool const safe = safe_start && std::ranges::all_of(text, [&](char c) {
                      return letter(c) || (c >= '0' && c <= '9') || std::string_view("_./-").contains(c);
                    });
  if (safe && std::ranges::find(reserved, lower()) == reserved.end()) return std::string(text);
  return json_string(text);
}

std::string yaml_value(std::string_view text) {
  std::string_view const digits = text.substr(text.starts_with('-') ? 1 : 0);
  bool const quantity =
      !digits.empty() && text.size() < 32 && digits.front() >= '0' && digits.front() <= '9' &&
      std::ranges::all_of(
          digits, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.'; });
  return quantity || text == "true" || text == "false" ? std::string(text) : yaml_text(text);
}

std::string service_key(std::string_view name) { return yaml_text(service_name(name)); }

std::string yaml_list(std::vector<std::string> const& items) {
  std::string out = "[";
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ", ") + yaml_text(items[i]);
  return out + "]";
}

std::string service_name(std::string_view name) {
  std::string out(name.substr(0, 120));
  for (char& c : out)
    if (!is_name(std::string(1, c)) && c != '-' && c != '.') c = '_';
  return is_name(out) ? out : "s" + out;
}

std::string regex_quoted(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (std::string_view("\\^$.|?*+()[]{}").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

namespace {

// Words that only a shell knows, at the start of a command.
bool shell_word(std::string_view word) {
  constexpr auto words = std::to_array<std::string_view>(
      {"cd",  "export", "source", ".",    "if",   "while", "until", "for", "case", "exec",
       "set", "ulimit", "umask",  "eval", "trap", "wait",  "read",  ":",   "{",    "!"});
  return std::ranges::find(words, word) != words.end();
}

bool needs_shell(std::string_view line, Words const& words) {
  std::string_view const inner = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
  return words.unclosed || words.shell_syntax || words.words.empty() || inner.contains('$') ||
         inner.contains('\n') || inner.contains(" #") || inner.contains('?') || inner.contains('[') ||
         shell_word(words.words.front());
}

}  // namespace

std::string shell_command(std::string_view line) {
  Words const words = split_words(line);
  if (!needs_shell(line, words)) return yaml_list(words.words);
  std::string doubled;
  for (std::size_t i = 0; i < line.size(); ++i) {
    doubled += line[i];
    if (line[i] != '$') continue;
    doubled += '$';
    if (i + 1 < line.size() && line[i + 1] == '$') ++i;  // written as `$$` already
  }
  return yaml_list({"sh", "-c", doubled});
}

void ServiceWriter::mapping(std::string_view name, std::vector<std::string> const& entries) {
  if (entries.empty()) return;
  std::string one = "{";
  for (std::size_t i = 0; i < entries.size(); ++i) one += (i == 0 ? "" : ", ") + entries[i];
  one += "}";
  if (one.size() + name.size() < 90 && !one.contains('#')) return key(name, one);
  lines_.push_back(std::string(name) + ":");
  for (std::string const& entry : entries) lines_.push_back("  " + entry);
}

void ServiceWriter::write(std::string& out) const {
  out += "  " + yaml_text(name_) + ":\n";
  for (std::string const& line : lines_) out += "    " + line + "\n";
}

void Carrier::left(Node const& node, std::string what, std::string why) {
  diagnostics_.warning("not-carried", node.span(), what + " is not carried over", std::move(why));
}

std::vector<std::string> Carrier::texts(Node const& node) {
  std::vector<std::string> out;
  if (node.is_scalar()) out.emplace_back(node.text());
  for (Node const* item : node.items())
    if (item->is_scalar()) out.emplace_back(item->text());
  return out;
}

std::vector<std::string> Carrier::pairs(Node const& node) {
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  auto const add = [&](std::string_view name, std::optional<std::string_view> value) {
    if (name.empty() || !seen.insert(name).second) return;
    out.push_back(yaml_text(name) + ": " + (value ? json_string(*value) : "null"));
  };
  for (Entry const& entry : node.entries())
    add(entry.key->text(), entry.value->is_scalar() ? std::optional(entry.value->text()) : std::nullopt);
  for (Node const* item : node.items()) {
    std::string_view const text = item->text();
    auto const equals = text.find('=');
    add(text.substr(0, equals),
        equals == std::string_view::npos ? std::nullopt : std::optional(text.substr(equals + 1)));
  }
  return out;
}

Node const* parse_foreign(Document& document, Diagnostics& diagnostics, std::string_view text,
                          std::string file_name) {
  std::string own(text);
  if (own.starts_with("\xEF\xBB\xBF")) own.erase(0, 3);
  diagnostics.sources().emplace_back(std::move(file_name), std::move(own));
  Node const* const root = document.parse(diagnostics, 0);
  if (diagnostics.has_errors()) return nullptr;
  if (root != nullptr && root->is_mapping()) return root;
  diagnostics.error("wrong-type", root == nullptr ? Span(0, 0, 0) : root->span(),
                    "expected a mapping of keys to values", "check that this is the right file");
  return nullptr;
}

}  // namespace belfry::config
