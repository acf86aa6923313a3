#include "config/import/scripts.hpp"

#include <algorithm>
#include <array>

#include "config/document/document.hpp"
#include "config/import/sections.hpp"
#include "config/import/unit_values.hpp"
#include "config/model/address.hpp"

namespace belfry::config {
namespace {

constexpr std::size_t most_scripts = 10'000;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

bool is_script_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_name_character);
}

// Calls `take` for each line with its number, and with the first indented line behind it, where there is one.
template <typename Take>
void for_each_rule(std::string_view text, Take take) {
  std::uint32_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == ' ' || line.front() == '\t' || line.front() == '#') continue;
    const bool body = text.starts_with('\t') || text.starts_with(' ');
    take(line, body ? trimmed(text.substr(0, text.find('\n'))) : std::string_view(), number);
  }
}

// The first `:` outside quotes and brackets.
std::size_t colon_in(std::string_view line) {
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0)
      quote = c == quote ? '\0' : quote;
    else if (c == '"' || c == '\'')
      quote = c;
    else if (c == '(')
      ++depth;
    else if (c == ')')
      --depth;
    else if (c == ':' && depth <= 0)
      return i;
  }
  return std::string_view::npos;
}

// JSON is YAML but for tabs, which stand between its tokens only: in its texts they are written `\t`.
std::string without_tabs(std::string_view text) {
  std::string out(text);
  if (out.starts_with("\xEF\xBB\xBF")) out.erase(0, 3);
  std::ranges::replace(out, '\t', ' ');
  return out;
}

const Node* json_root(Document& document, Diagnostics& diagnostics, std::string_view text) {
  diagnostics.sources().emplace_back("package.json", without_tabs(text));
  const Node* const root = document.parse(diagnostics, 0);
  return diagnostics.has_errors() || root == nullptr || !root->is_mapping() ? nullptr : root;
}

}  // namespace

std::vector<Script> lasting(const std::vector<Script>& all) {
  std::vector<Script> out;
  for (const std::string_view name : {"dev", "serve", "start", "run"}) {
    const auto found = std::ranges::find(all, name, &Script::name);
    if (found == all.end()) continue;
    out.push_back(*found);
    break;
  }
  const auto worker = std::ranges::find(all, "worker", &Script::name);
  if (worker != all.end()) out.push_back(*worker);
  return out;
}

std::vector<Script> package_scripts(std::string_view text, bool& readable) {
  Document document;
  Diagnostics diagnostics;
  const Node* const root = json_root(document, diagnostics, text);
  readable = root != nullptr;
  std::vector<Script> out;
  const Node* const scripts = root == nullptr ? nullptr : root->find("scripts");
  if (scripts == nullptr) return out;
  for (const Entry& entry : scripts->entries())
    if (entry.value->is_scalar() && out.size() < most_scripts)
      out.push_back(
          {std::string(entry.key->text()), std::string(entry.value->text()), entry.key->line, false});
  return out;
}

std::string package_manager(std::string_view text) {
  Document document;
  Diagnostics diagnostics;
  const Node* const root = json_root(document, diagnostics, text);
  const Node* const written = root == nullptr ? nullptr : root->find("packageManager");
  if (written == nullptr) return {};
  const std::string_view name = written->text().substr(0, written->text().find('@'));
  for (const std::string_view known : {"npm", "pnpm", "yarn", "bun"})
    if (name == known) return std::string(known);
  return {};
}

// `name parameter default="x" *rest: dependencies`; `@` before it keeps it quiet.
std::vector<Script> just_recipes(std::string_view text) {
  std::vector<Script> out;
  for_each_rule(text, [&](std::string_view line, std::string_view body, std::uint32_t number) {
    if (line.starts_with('@')) line.remove_prefix(1);
    const auto colon = colon_in(line);
    if (colon == std::string_view::npos || line.substr(colon).starts_with(":=") || out.size() >= most_scripts)
      return;
    const std::vector<std::string> head = unit_words(line.substr(0, colon));
    if (head.empty() || !is_script_name(head.front())) return;
    const bool needs = std::any_of(head.begin() + 1, head.end(), [](const std::string& parameter) {
      return !parameter.contains('=') && !parameter.starts_with('*');
    });
    out.push_back({head.front(), std::string(body.substr(body.starts_with('@') ? 1 : 0)), number, needs});
  });
  return out;
}

std::vector<Script> make_targets(std::string_view text) {
  std::vector<Script> out;
  for_each_rule(text, [&](std::string_view line, std::string_view body, std::uint32_t number) {
    const auto colon = line.find_first_of(":=");
    if (colon == std::string_view::npos || line[colon] == '=' || line.starts_with('.')) return;
    std::string_view rest = line.substr(colon + 1);
    if (rest.starts_with('=') || rest.starts_with(":=") || rest.starts_with("::=")) return;  // a variable
    if (const auto inline_body = rest.find(';'); inline_body != std::string_view::npos)
      body = trimmed(rest.substr(inline_body + 1));
    for (const std::string& name : unit_words(line.substr(0, colon)))
      if (is_script_name(name) && out.size() < most_scripts)
        out.push_back({name, std::string(body.substr(std::min(body.find_first_not_of("@-+"), body.size()))),
                       number, false});
  });
  return out;
}

std::string port_in(std::string_view command) {
  const std::vector<std::string> words = unit_words(command);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view value;
    for (const std::string_view before : {"--port=", "-p=", "PORT="})
      if (words[i].starts_with(before)) value = std::string_view(words[i]).substr(before.size());
    if ((words[i] == "--port" || words[i] == "-p") && i + 1 < words.size()) value = words[i + 1];
    if (parse_port(value)) return std::string(value);
  }
  return {};
}

}  // namespace belfry::config
