#include "config/difference/difference.hpp"

#include <algorithm>
#include <unordered_map>

#include "config/decode/decode.hpp"
#include "config/decode/tables.hpp"
#include "config/difference/values.hpp"
#include "config/document/confidential.hpp"

namespace belfry::config {

namespace {

constexpr std::string_view hidden = "***";

template <class F>
OnReload effect_in(const F& fields, std::string_view name, OnReload otherwise) {
  const auto found = std::ranges::find(fields, name, [](const auto& field) { return field.key.name; });
  return found == fields.end() ? otherwise : found->key.on_reload;
}

// What stands inside of a key goes by that key; the tuning of probes is milder.
OnReload effect_of(std::string_view row, std::string_view key) {
  const OnReload whole = effect_in(service_fields(), row, OnReload::restarts);
  if (row != "ready" || key == row) return whole;
  return effect_in(probe_fields(), key.substr(row.size() + 1), whole);
}

std::string shown(const Value& value) { return value.secret ? std::string(hidden) : masked(value.text); }

// Several edges to one service are one value.
void join_repeated(Values& values) {
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto first = std::ranges::find(values, values[i].key, &Value::key);
    if (first - values.begin() == static_cast<std::ptrdiff_t>(i)) continue;
    first->text += ", " + values[i].text;
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(i--));
  }
}

// Both lists have each key once, nearly always in the same order.
void compare(const Values& before, const Values& after, const auto& effect, std::vector<KeyChange>& out) {
  for (const Value& was : before) {
    const auto is = std::ranges::find(after, was.key, &Value::key);
    if (is != after.end() && is->text == was.text) continue;
    out.push_back({.key = was.key,
                   .before = shown(was),
                   .after = is == after.end() ? std::string() : shown(*is),
                   .effect = effect(was.key)});
  }
  for (const Value& is : after) {
    if (std::ranges::find(before, is.key, &Value::key) != before.end()) continue;
    out.push_back({.key = is.key, .before = {}, .after = shown(is), .effect = effect(is.key)});
  }
}

// What a run was told of others is told again when the edges that vouch for it change.
void look_at_outputs(const Service& before, const Service& after, std::vector<KeyChange>& keys) {
  const auto uses = [](const Service& one) { return one.extras && !one.extras->references.empty(); };
  if (!uses(before) && !uses(after)) return;
  for (KeyChange& change : keys)
    if (change.key.starts_with("depends_on.")) change.effect = OnReload::restarts;
}

std::vector<KeyChange> compare(const Service& before, const Service& after) {
  static const Service plain;
  std::vector<KeyChange> keys;
  Values was, is;
  for (const ServiceRow& row : service_rows()) {
    was.clear();
    is.clear();
    if (!row.of_extras || before.extras) row.read(before, was);
    if (!row.of_extras || after.extras) row.read(after, is);
    join_repeated(was);
    join_repeated(is);
    compare(was, is, [&row](std::string_view key) { return effect_of(row.key, key); }, keys);
  }
  look_at_outputs(before, after, keys);
  return keys;
}

// Of a service that comes or goes, as against one of which nothing is said.
void note_refused(const Service& before, const Service& after, const std::string& name,
                  std::vector<std::string>& out) {
  Values was, is;
  for (const ServiceRow& row : service_rows()) {
    if (effect_of(row.key, row.key) != OnReload::is_refused) continue;
    was.clear();
    is.clear();
    if (!row.of_extras || before.extras) row.read(before, was);
    if (!row.of_extras || after.extras) row.read(after, is);
    std::vector<KeyChange> keys;
    compare(was, is, [](std::string_view) { return OnReload::is_refused; }, keys);
    for (const KeyChange& change : keys) out.push_back(name + ": " + text_of(change));
  }
}

std::vector<KeyChange> compare_settings(const Stack& before, const Stack& after) {
  std::vector<KeyChange> keys;
  Values was, is;
  for (const StackRow& row : stack_rows()) {
    was.clear();
    is.clear();
    row.read(before, was);
    row.read(after, is);
    const OnReload effect = effect_in(stack_fields(), row.key, OnReload::is_refused);
    compare(was, is, [effect](std::string_view) { return effect; }, keys);
  }
  return keys;
}

void refuse_in(const std::string& prefix, const std::vector<KeyChange>& keys, std::vector<std::string>& out) {
  for (const KeyChange& change : keys)
    if (change.effect == OnReload::is_refused) out.push_back(prefix + text_of(change));
}

}  // namespace

bool ServiceChange::restarts() const {
  return std::ranges::find(keys, OnReload::restarts, &KeyChange::effect) != keys.end();
}

bool ServiceChange::is_refused() const {
  return std::ranges::find(keys, OnReload::is_refused, &KeyChange::effect) != keys.end();
}

bool Difference::empty() const {
  return stack.empty() && changed.empty() && added.empty() && removed.empty();
}

std::vector<std::string> Difference::refusals() const {
  std::vector<std::string> all;
  refuse_in("", stack, all);
  for (const ServiceChange& one : changed) refuse_in(one.name + ": ", one.keys, all);
  all.insert(all.end(), unfit.begin(), unfit.end());
  return all;
}

Difference difference(const Stack& settings, const std::vector<const Service*>& before, const Stack& after) {
  static const Service nobody;
  Difference all;
  all.stack = compare_settings(settings, after);
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::uint32_t i = 0; i < after.services.size(); ++i) places.emplace(after.services[i].name, i);
  std::vector<bool> stays(after.services.size());
  for (std::uint32_t i = 0; i < before.size(); ++i) {
    const auto found = places.find(before[i]->name);
    if (found == places.end()) {
      all.removed.push_back(i);
      note_refused(*before[i], nobody, before[i]->name, all.unfit);
      continue;
    }
    stays[found->second] = true;
    auto keys = compare(*before[i], after.services[found->second]);
    if (keys.empty()) continue;
    all.changed.push_back(
        {.name = before[i]->name, .before = i, .after = found->second, .keys = std::move(keys)});
  }
  for (std::uint32_t i = 0; i < stays.size(); ++i) {
    if (stays[i]) continue;
    all.added.push_back(i);
    note_refused(nobody, after.services[i], after.services[i].name, all.unfit);
  }
  return all;
}

Difference difference(const Stack& before, const Stack& after) {
  std::vector<const Service*> services;
  services.reserve(before.services.size());
  for (const Service& one : before.services) services.push_back(&one);
  return difference(before, services, after);
}

std::string text_of(const KeyChange& change) {
  if (change.before.empty()) return change.key + ": " + change.after + " (new)";
  if (change.after.empty()) return change.key + ": " + change.before + " (gone)";
  if (change.before == change.after) return change.key + ": " + change.after + " (another one)";
  return change.key + ": " + change.before + " → " + change.after;
}

}  // namespace belfry::config
