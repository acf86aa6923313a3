// What a compose file lets a service use at most.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "config/import/compose_service.hpp"
#include "text/escape.hpp"

namespace belfry::config {

namespace {

// `007` is a number in compose; a belfry file refuses it, because YAML readers disagree about it.
std::string_view without_zeros(std::string_view text) {
  while (text.size() > 1 && text.front() == '0' && text[1] != '.') text.remove_prefix(1);
  return text;
}

}  // namespace

const Node* ComposeService::limit(std::string_view own, std::string_view deployed) const {
  const Node* found = find(own);
  if (found == nullptr && limits_ != nullptr) found = limits_->find(deployed);
  const bool unlimited = found != nullptr && (found->text() == "0" || found->text() == "-1");
  return found == nullptr || !found->is_scalar() || found->text().empty() || unlimited ? nullptr : found;
}

// In compose sizes may be decimals, and `gb` means the same as `g`.
std::string ComposeService::memory(const Node& node) {
  std::string_view text = node.text();
  if (text.contains('$')) return text::json_string(text);
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  std::ranges::transform(unit, unit.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (unit.ends_with('b')) unit.pop_back();
  constexpr std::string_view units = "kmgt";
  const auto power = unit.size() == 1 ? units.find(unit.front()) : std::string_view::npos;
  const bool known = unit.empty() || power != std::string_view::npos;
  const double bytes =
      number * std::pow(1024.0, unit.empty() || !known ? 0.0 : static_cast<double>(power + 1));
  if (fault != std::errc{} || !known || !(bytes >= 1) || bytes > 9e18) {
    left(node, "the limit of memory", "sizes are like 512m and 1g");
    return {};
  }
  const bool as_it_is = text.find_first_of(".eEbB") == std::string_view::npos;
  return as_it_is ? yaml_text(text) : std::to_string(static_cast<std::uint64_t>(bytes));
}

std::string ComposeService::processors(const Node& node) {
  const std::string_view text = node.text();
  if (text.contains('$')) return text::json_string(text);
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good =
      fault == std::errc{} && end == text.data() + text.size() && number > 0 && number <= 10'000;
  if (good && number >= 0.01) return yaml_value(without_zeros(text));
  left(node, "the limit of processors",
       good ? "0.01 is the least that belfry can give" : "it is a number, such as 0.5");
  return good ? "0.01" : "";
}

void ComposeService::cgroup() {
  std::vector<std::string> entries;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) entries.push_back(std::string(name) + ": " + value);
  };
  if (const Node* const n = limit("mem_limit", "memory")) add("memory_max", memory(*n));
  if (const Node* const n = limit("cpus", "cpus")) add("cpu_max", processors(*n));
  if (const Node* const n = limit("pids_limit", "pids")) {
    const bool good =
        n->text().contains('$') ||
        (n->text().size() < 8 && n->text().find_first_not_of("0123456789") == std::string_view::npos &&
         std::stoul(std::string(n->text())) <= 4'194'304);
    if (good)
      add("pids_max", yaml_value(without_zeros(n->text())));
    else
      left(*n, "the limit of processes", "it is a number up to 4194304");
  }
  out_.mapping("cgroup", entries);
}

}  // namespace belfry::config
