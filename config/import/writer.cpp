#include "config/import/writer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "config/document/words.hpp"
#include "config/model/duration.hpp"
#include "config/model/name.hpp"
#include "text/escape.hpp"

namespace belfry::config {

std::string yaml_text(std::string_view text) {
  constexpr std::array<std::string_view, 12> reserved{"true", "false", "null", "yes", "no",  "on",
                                                      "off",  "y",     "n",    "~",   "inf", "nan"};
  const auto lower = [&] {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool option = text.size() > 1 && text.front() == '-' &&
                      text.find_first_not_of('-') != std::string_view::npos &&
                      letter(text[text.find_first_not_of('-')]);
  const bool safe_start =
      !text.empty() && (letter(text.front()) || text.front() == '/' || text.starts_with("./") || option);
  const bool safe = safe_start && std::ranges::all_of(text, [&](char c) {
                      return letter(c) || (c >= '0' && c <= '9') || std::string_view("_./-").contains(c);
                    });
  if (safe && std::ranges::find(reserved, lower()) == reserved.end()) return std::string(text);
  return text::json_string(text);
}

std::string yaml_value(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool quantity =
      !digits.empty() && text.size() < 32 && digits.front() >= '0' && digits.front() <= '9' &&
      std::ranges::all_of(
          digits, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.'; });
  return quantity || text == "true" || text == "false" ? std::string(text) : yaml_text(text);
}

std::string service_key(std::string_view name) { return yaml_text(service_name(name)); }

std::string yaml_list(const std::vector<std::string>& items) {
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
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

namespace {

// Words that only a shell knows, at the start of a command.
bool shell_word(std::string_view word) {
  constexpr auto words = std::to_array<std::string_view>(
      {"cd",      "export", "source",   ".",       "if",      "while",  "until",  "for",     "case",
       "exec",    "set",    "ulimit",   "umask",   "eval",    "trap",   "wait",   "read",    ":",
       "{",       "!",      "alias",    "builtin", "bg",      "fg",     "jobs",   "disown",  "command",
       "type",    "unset",  "let",      "local",   "declare", "pushd",  "popd",   "typeset", "readonly",
       "shopt",   "select", "time",     "exit",    "hash",    "coproc", "return", "getopts", "shift",
       "mapfile", "enable", "function", "[[",      "times"});
  return std::ranges::find(words, word) != words.end();
}

// `{a,b}` or `{1..3}`.
bool expands_braces(std::string_view line) {
  for (auto open = line.find('{'); open != std::string_view::npos; open = line.find('{', open + 1)) {
    const std::string_view rest = line.substr(open + 1);
    const auto end = rest.find_first_of("{} \t");
    if (end == std::string_view::npos || rest[end] != '}') continue;
    const std::string_view inside = rest.substr(0, end);
    if (inside.contains(',') || inside.contains("..")) return true;
  }
  return false;
}

bool needs_shell(std::string_view line, const Words& words) {
  const std::string_view inner = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
  return words.unclosed || words.shell_syntax || words.words.empty() || inner.contains(" #") ||
         inner.find_first_of("$\n`?[") != std::string_view::npos || expands_braces(inner) ||
         shell_word(words.words.front());
}

}  // namespace

std::string shell_command(std::string_view line, const std::vector<std::string>& shell,
                          DoubleDollar double_dollar) {
  const Words words = split_words(line);
  if (!needs_shell(line, words)) return yaml_list(words.words);
  std::string doubled;
  for (std::size_t i = 0; i < line.size(); ++i) {
    doubled += line[i];
    if (line[i] != '$') continue;
    doubled += '$';
    const bool pair = i + 1 < line.size() && line[i + 1] == '$';
    if (pair && double_dollar == DoubleDollar::escape) ++i;  // belfry reads it as that tool does
  }
  std::vector<std::string> words_of_shell = shell;
  words_of_shell.push_back(std::move(doubled));
  return yaml_list(words_of_shell);
}

std::string duration_value(std::string_view text, bool& bad) {
  if (text.contains('$')) return text::json_string(text);
  const auto value = parse_duration(text);
  if (!value && !text.empty()) bad = true;
  return value && *value != Duration(0) ? yaml_value(text) : "";
}

std::string path_from(std::string_view working_dir, std::string_view path, std::string_view directory) {
  namespace fs = std::filesystem;
  const auto fixed = [](std::string_view p) { return p.starts_with('/') || p.starts_with('$'); };
  if (fixed(path) || working_dir.empty() || working_dir == ".") return std::string(path);
  if (!fixed(working_dir)) {
    const fs::path base = fs::path(working_dir).lexically_normal();
    const std::string relative = fs::path(path).lexically_normal().lexically_relative(base).string();
    // A path that goes up beyond the file's directory cannot be made relative to it by names alone.
    if (!relative.empty() && *base.begin() != "..") return relative;
  }
  return directory.empty() ? std::string(path) : (fs::path(directory) / path).lexically_normal().string();
}

Names::Names(std::span<const std::string_view> written) {
  // Those that need no cleaning first: they keep their names whatever comes before them.
  for (const std::string_view name : written)
    if (service_name(name) == name) add(name);
  for (const std::string_view name : written) add(name);
}

Names::Names(const Node& services) {
  for (const Entry& entry : services.entries())
    if (service_name(entry.key->text()) == entry.key->text()) add(entry.key->text());
  for (const Entry& entry : services.entries()) add(entry.key->text());
}

void Names::add(std::string_view name) {
  if (names_.contains(name)) return;
  const std::string clean = service_name(name);
  std::string own = clean;
  for (int i = 2; !taken_.insert(own).second; ++i) own = clean + "_" + std::to_string(i);
  names_.emplace(name, std::move(own));
}

std::string Names::of(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? service_name(name) : found->second;
}

ServiceWriter::ServiceWriter(std::string_view written, const Names& names) : name_(names.of(written)) {
  if (name_ != written) comment("`" + std::string(written.substr(0, 200)) + "` in the source");
}

void ServiceWriter::mapping(std::string_view name, const std::vector<std::string>& entries) {
  if (entries.empty()) return;
  std::string one = "{";
  for (std::size_t i = 0; i < entries.size(); ++i) one += (i == 0 ? "" : ", ") + entries[i];
  one += "}";
  if (one.size() + name.size() < 90 && !one.contains('#')) return key(name, one);
  lines_.push_back(std::string(name) + ":");
  for (const std::string& entry : entries) lines_.push_back("  " + entry);
}

void ServiceWriter::items(std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  std::string one;
  for (const std::string& value : values) one += (one.empty() ? "[" : ", ") + value;
  if (one.size() + name.size() < 90 && !one.contains('#')) return key(name, one + "]");
  lines_.push_back(std::string(name) + ":");
  for (const std::string& value : values) lines_.push_back("  - " + value);
}

void ServiceWriter::write(std::string& out) const {
  out += "  " + yaml_text(name_) + ":\n";
  for (const std::string& line : lines_) out += "    " + line + "\n";
  if (!omitted_.empty()) out += "    # not carried over: " + omitted_ + "\n";
}

void ServiceWriter::omit(std::string_view what, std::uint32_t line) {
  omitted_ += (omitted_.empty() ? "" : ", ") + printable(what) + " (line " + std::to_string(line) + ")";
}

void Carrier::left(const Span& where, std::string what, std::string why, std::string_view owner) {
  // What concerns services is said once for all of them: the file that is written says for each where it
  // stood.
  const std::string key = owner.empty() ? std::to_string(where.file) + ":" + std::to_string(where.line) +
                                              ":" + std::to_string(where.column) + ":" + what
                                        : what + "\n" + why;
  const auto [known, fresh] = at_.emplace(key, left_.size());
  if (fresh) left_.push_back({where, std::move(what), std::move(why), "", {}, 0, 0});
  Left& one = left_[known->second];
  if (owner.empty() || !one.owned_by.insert(std::string(owner)).second) return;
  if (++one.count <= 4)
    one.owners += (one.owners.empty() ? "`" : ", `") + std::string(owner) + "`";
  else
    ++one.more;
}

void Carrier::finish() {
  for (Left& one : left_) {
    std::string message = std::move(one.what);
    if (!one.owners.empty()) message += " of " + one.owners;
    if (one.more > 0) message += " and " + std::to_string(one.more) + " more";
    diagnostics_.warning("not-carried", one.where, message + " is not carried over", std::move(one.why));
  }
  diagnostics_.finish();
}

std::vector<std::string> Carrier::texts(const Node& node) {
  std::vector<std::string> out;
  if (node.is_scalar()) out.emplace_back(node.text());
  for (const Node* item : node.items())
    if (item->is_scalar()) out.emplace_back(item->text());
  return out;
}

std::vector<std::string> Carrier::pairs(const Node& node, std::string_view absent, const Fill& fill) {
  std::vector<std::string> out;
  std::unordered_map<std::string_view, std::size_t> at;
  const auto add = [&](const Node& item, std::string_view name, std::optional<std::string_view> value) {
    if (name.empty()) return;
    std::string line =
        yaml_text(name) + ": " +
        (!value ? std::string(absent) : text::json_string(fill ? fill(item, *value) : std::string(*value)));
    const auto [known, fresh] = at.emplace(name, out.size());
    if (fresh)
      out.push_back(std::move(line));
    else
      out[known->second] = std::move(line);
  };
  for (const Entry& entry : node.entries())
    if (entry.value->is_scalar() || entry.value->is_null())
      add(*entry.value, entry.key->text(),
          entry.value->is_scalar() ? std::optional(entry.value->text()) : std::nullopt);
  for (const Node* item : node.items()) {
    const std::string_view text = item->text();
    const auto equals = text.find('=');
    add(*item, text.substr(0, equals),
        equals == std::string_view::npos ? std::nullopt : std::optional(text.substr(equals + 1)));
  }
  return out;
}

std::vector<const Node*> Carrier::unreadable_pairs(const Node& node) {
  std::vector<const Node*> out;
  for (const Entry& entry : node.entries())
    if (!entry.value->is_scalar() && !entry.value->is_null()) out.push_back(entry.value);
  for (const Node* item : node.items())
    if (!item->is_scalar() && !item->is_null()) out.push_back(item);
  return out;
}

const Node* parse_foreign(Document& document, Diagnostics& diagnostics, std::string_view text,
                          std::string file_name) {
  std::string own(text);
  if (own.starts_with("\xEF\xBB\xBF")) own.erase(0, 3);
  diagnostics.sources().emplace_back(std::move(file_name), std::move(own));
  const Node* const root = document.parse(diagnostics, 0);
  if (diagnostics.has_errors()) return nullptr;
  if (root != nullptr && root->is_mapping()) return root;
  diagnostics.error("wrong-type", root == nullptr ? Span(0, 0, 0) : root->span(),
                    "expected a mapping of keys to values", "check that this is the right file");
  return nullptr;
}

}  // namespace belfry::config
