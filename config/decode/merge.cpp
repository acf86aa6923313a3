#include "config/decode/merge.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "config/decode/decode.hpp"
#include "config/decode/probe_kinds.hpp"

namespace belfry::config {
namespace {

// [A=1, B] as {A: 1, B: null}.
Node const* pairs_as_mapping(Document& document, Node const& list) {
  std::vector<Entry> entries;
  for (Node const* item : list.items()) {
    if (!item->is_scalar()) return &list;  // reported when it is decoded
    std::string_view const text = item->text();
    auto const equals = text.find('=');
    if (equals == std::string_view::npos) return &list;
    entries.push_back({document.make_scalar(item->place(), text.substr(0, equals)),
                       document.make_scalar(item->place(), text.substr(equals + 1))});
  }
  return document.make_mapping(list.place(), entries);
}

Node const* names_as_mapping(Document& document, Node const& list) {
  std::vector<Entry> entries;
  Node const* const nothing = document.make_mapping(list.place(), {});
  for (Node const* item : list.items()) {
    if (!item->is_scalar()) return &list;
    entries.push_back({item, nothing});
  }
  return document.make_mapping(list.place(), entries);
}

Node const* policy_as_mapping(Document& document, Node const& policy) {
  Entry const entry{document.make_scalar(policy.place(), "policy"), &policy};
  return document.make_mapping(policy.place(), {&entry, 1});
}

// The long spelling of the value of `key`.
Node const* spelled_out(Document& document, std::string_view key, Node const& node) {
  if ((key == "environment" || key == "labels") && node.is_sequence())
    return pairs_as_mapping(document, node);
  if (key == "depends_on" && node.is_sequence()) return names_as_mapping(document, node);
  if (key == "restart" && node.is_scalar()) return policy_as_mapping(document, node);
  return &node;
}

bool has_kind(Node const& probe) {
  return std::ranges::any_of(
      probe.entries(), [](Entry const& e) { return is_probe_kind(e.key->text()) || e.key->text() == "any"; });
}

Node const* merge_values(Document& document, std::string_view key, Node const& low, Node const& high) {
  // Two lists of the same spelling replace, as lists do.
  if (low.is_sequence() && high.is_sequence() && key != "environment" && key != "labels") return &high;
  Node const* const below = spelled_out(document, key, low);
  Node const* const above = spelled_out(document, key, high);
  if (!below->is_mapping() || !above->is_mapping()) return &high;
  bool const probe = key == "ready" || key == "live";
  if (probe && has_kind(*above)) {
    Node const* const tuning = without(document, *below, [](Entry const& e) {
      return is_probe_kind(e.key->text()) || e.key->text() == "any" || is_kind_option(e.key->text());
    });
    return merge(document, *tuning, *above);
  }
  return merge(document, *below, *above);
}

}  // namespace

Node const* without(Document& document, Node const& node, std::function<bool(Entry const&)> const& drop) {
  std::vector<Entry> kept;
  for (Entry const& entry : node.entries())
    if (!drop(entry)) kept.push_back(entry);
  return kept.size() == node.size ? &node : document.make_mapping(node.place(), kept);
}

Node const* merge(Document& document, Node const& low, Node const& high) {
  if (document.overgrown()) return &high;  // reported by who merges for many
  if (!low.is_mapping() || low.size == 0) return &high;
  if (!high.is_mapping()) return high.is_null() ? &low : &high;
  std::vector<Entry> entries(high.entries().begin(), high.entries().end());
  std::unordered_map<std::string_view, std::size_t> at;
  bool const many = entries.size() > 32;
  if (many)
    for (std::size_t i = 0; i < entries.size(); ++i) at.emplace(entries[i].key->text(), i);
  std::size_t const own = entries.size();
  auto const position = [&](std::string_view key) -> std::size_t {
    if (many) {
      auto const found = at.find(key);
      return found == at.end() ? own : found->second;
    }
    auto const found = std::ranges::find(high.entries(), key, [](Entry const& e) { return e.key->text(); });
    return static_cast<std::size_t>(found - high.entries().begin());
  };
  for (Entry const& entry : low.entries()) {
    std::size_t const index = position(entry.key->text());
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
