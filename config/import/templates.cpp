// The templates of process-compose: `{{ .NAME }}`.
#include <ranges>

#include "config/import/process.hpp"

namespace belfry::config {

void Templates::add(const Node& mapping, std::string_view outer) {
  for (const Entry& entry : mapping.entries()) {
    std::string name = std::string(outer) + std::string(entry.key->text());
    if (entry.value->is_mapping())
      add(*entry.value, name + ".");
    else if (entry.value->is_scalar())
      variables_.emplace_back(std::move(name), entry.value->text());
  }
}

std::string Templates::filled(const Node& node, std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  for (std::size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{", at)) {
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) break;
    out += text.substr(at, open - at);
    std::string_view name = text.substr(open + 2, close - open - 2);
    while (name.starts_with(' ') || name.starts_with('.')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    out += value_of(name, node, text.substr(open, close + 2 - open));
    at = close + 2;
  }
  return out += text.substr(at);
}

std::string Templates::value_of(std::string_view name, const Node& node, std::string_view whole) const {
  if (name == "PC_REPLICA_NUM") {
    carrier_.left(node, "counting replicas from 0", "${REPLICA} counts from 1");
    return "${REPLICA:-1}";
  }
  for (const auto& [known, value] : variables_ | std::views::reverse)
    if (known == name) return value;
  carrier_.left(node, "the template `" + std::string(whole) + "`",
                "write the value, or a variable: ${NAME:-default}");
  return std::string(whole);
}

}  // namespace belfry::config
