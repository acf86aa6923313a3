#include "config/decode/merge.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "config/decode/decode.hpp"
#include "config/decode/probe_kinds.hpp"

namespace belfry::config {
namespace {

// [A=1, B] as {A: 1, B: null}.
const Node* pairs_as_mapping(Document& document, const Node& list) {
  std::vector<Entry> entries;
  for (const Node* item : list.items()) {
    if (!item->is_scalar()) return &list;  // reported when it is decoded
    const std::string_view text = item->text();
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return &list;
    entries.push_back({document.make_scalar(item->place(), text.substr(0, equals)),
                       document.make_scalar(item->place(), text.substr(equals + 1))});
  }
  return document.make_mapping(list.place(), entries);
}

const Node* names_as_mapping(Document& document, const Node& list) {
  std::vector<Entry> entries;
  const Node* const nothing = document.make_mapping(list.place(), {});
  for (const Node* item : list.items()) {
    if (!item->is_scalar()) return &list;
    entries.push_back({item, nothing});
  }
  return document.make_mapping(list.place(), entries);
}

const Node* policy_as_mapping(Document& document, const Node& policy) {
  const Entry entry{document.make_scalar(policy.place(), "policy"), &policy};
  return document.make_mapping(policy.place(), {&entry, 1});
}

// The long spelling of the value of `key`.
const Node* spelled_out(Document& document, std::string_view key, const Node& node) {
  if ((key == "environment" || key == "labels") && node.is_sequence())
    return pairs_as_mapping(document, node);
  if (key == "depends_on" && node.is_sequence()) return names_as_mapping(document, node);
  if (key == "restart" && node.is_scalar()) return policy_as_mapping(document, node);
  return &node;
}

bool has_kind(const Node& probe) {
  return std::ranges::any_of(
      probe.entries(), [](const Entry& e) { return is_probe_kind(e.key->text()) || e.key->text() == "any"; });
}

const Node* merge_values(Document& document, std::string_view key, const Node& low, const Node& high) {
  // Two lists of the same spelling replace, as lists do.
  if (low.is_sequence() && high.is_sequence() && key != "environment" && key != "labels") return &high;
  const Node* const below = spelled_out(document, key, low);
  const Node* const above = spelled_out(document, key, high);
  if (!below->is_mapping() || !above->is_mapping()) return &high;
  const bool probe = key == "ready" || key == "live";
  if (probe && has_kind(*above)) {
    const Node* const tuning = without(document, *below, [](const Entry& e) {
      return is_probe_kind(e.key->text()) || e.key->text() == "any" || is_kind_option(e.key->text());
    });
    return merge(document, *tuning, *above);
  }
  return merge(document, *below, *above);
}

}  // namespace

const Node* without(Document& document, const Node& node, const std::function<bool(const Entry&)>& drop) {
  std::vector<Entry> kept;
  for (const Entry& entry : node.entries())
    if (!drop(entry)) kept.push_back(entry);
  return kept.size() == node.size ? &node : document.make_mapping(node.place(), kept);
}

const Node* merge(Document& document, const Node& low, const Node& high) {
  if (document.overgrown()) return &high;  // reported by who merges for many
  if (!low.is_mapping() || low.size == 0) return &high;
  if (!high.is_mapping()) return high.is_null() ? &low : &high;
  std::vector<Entry> entries(high.entries().begin(), high.entries().end());
  std::unordered_map<std::string_view, std::size_t> at;
  const bool many = entries.size() > 32;
  if (many)
    for (std::size_t i = 0; i < entries.size(); ++i) at.emplace(entries[i].key->text(), i);
  const std::size_t own = entries.size();
  const auto position = [&](std::string_view key) -> std::size_t {
    if (many) {
      const auto found = at.find(key);
      return found == at.end() ? own : found->second;
    }
    const auto found = std::ranges::find(high.entries(), key, [](const Entry& e) { return e.key->text(); });
    return static_cast<std::size_t>(found - high.entries().begin());
  };
  for (const Entry& entry : low.entries()) {
    const std::size_t index = position(entry.key->text());
    if (index >= own)
      entries.push_back(entry);
    else if (entries[index].value->is_null())
      entries[index].value = entry.value;
    else
      entries[index].value = merge_values(document, entry.key->text(), *entry.value, *entries[index].value);
  }
  return document.make_mapping(high.place(), entries);
}

}  // namespace belfry::config
