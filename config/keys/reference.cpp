#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "config/keys/schema.hpp"
#include "config/model/enum_names.hpp"

namespace belfry::config {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) c == '|' ? out += "\\|" : out += c;
  return out;
}

std::string type_of(const Key& key, std::span<const ValueType> types) {
  for (const ValueType& type : types)
    if (type.name == key.type) return std::string(type.meaning);
  return "a mapping";
}

std::string types_fitting(Fits fits) {
  if (fits == fits_all) return "all";
  std::string out;
  for (const ServiceType type :
       {ServiceType::daemon, ServiceType::oneshot, ServiceType::external, ServiceType::gate})
    if ((fits & fit_of(type)) != 0) out.append(out.empty() ? "" : ", ").append(name_of(type));
  return out;
}

std::string meaning_of(const Key& key) {
  if (key.works()) return std::string(key.meaning);
  std::string text = "**Not yet**: this version refuses it";
  if (!key.only.empty()) text.append(", except `").append(key.only).append("`");
  if (!key.instead.empty()) text.append("; meanwhile ").append(key.instead);
  return text.append(". ").append(key.meaning);
}

using Cells = std::vector<std::string>;

void row(const Cells& cells, std::string& out) {
  out += '|';
  for (const std::string& one : cells) out.append(" ").append(one).append(" |");
  out += '\n';
}

void section(const Table& table, std::span<const ValueType> types, std::string& out) {
  const bool service = std::ranges::any_of(table.keys, [](const Key* key) { return key->fits != fits_all; });
  out.append("\n## ").append(table.title).append("\n\n").append(table.meaning).append("\n\n");
  const auto with_rare_ones = [&](Cells cells, std::string of, std::string reload) {
    if (table.says_reload) cells.insert(cells.begin() + 3, std::move(reload));
    if (service) cells.insert(cells.begin() + 1, std::move(of));
    return cells;
  };
  const Cells head = with_rare_ones({"key", "value", "default", "meaning", "example"}, "of", "on reload");
  row(head, out);
  out += '|';
  for (std::size_t i = 0; i < head.size(); ++i) out += "---|";
  out += '\n';
  for (const Key* key : table.keys) {
    const std::string name = cell(key->name);
    row(with_rare_ones({"`" + name + "`", cell(type_of(*key, types)), cell(key->fallback),
                        cell(meaning_of(*key)), "`" + name + ": " + cell(key->example) + "`"},
                       types_fitting(key->fits), std::string(name_of(key->on_reload))),
        out);
  }
}

}  // namespace

std::string reference_markdown(std::string_view head, std::span<const Table> tables,
                               std::span<const ValueType> types) {
  std::string out(head);
  for (const Table& table : tables) section(table, types, out);
  return out;
}

}  // namespace belfry::config
