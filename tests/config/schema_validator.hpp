// A validator for the part of JSON Schema 2020-12 that config/schema.json uses, over belfry's own
// document tree (JSON is YAML). Written from the specification and from nothing in config/.
#pragma once

#include <algorithm>
#include <charconv>
#include <regex>
#include <string>

#include "config/document/document.hpp"

namespace belfry::config::testing_support {

class SchemaValidator {
 public:
  explicit SchemaValidator(const Node& root) : root_(root) {}
  [[nodiscard]] bool valid(const Node& value) const { return check(root_, value); }

 private:
  static bool is_number(const Node& v, bool whole) {
    static const std::regex integer("-?(0|[1-9][0-9]*)"), real("-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    return v.is_scalar() && !v.quoted && std::regex_match(std::string(v.text()), whole ? integer : real);
  }
  static bool is_boolean(const Node& v) {
    return v.is_scalar() && !v.quoted && (v.text() == "true" || v.text() == "false");
  }

  static bool is_type(std::string_view type, const Node& v) {
    if (type == "null") return v.is_null();
    if (type == "object") return v.is_mapping();
    if (type == "array") return v.is_sequence();
    if (type == "boolean") return is_boolean(v);
    if (type == "integer") return is_number(v, true);
    if (type == "number") return is_number(v, false);
    return v.is_scalar() && !is_boolean(v) && !is_number(v, false);
  }

  static bool same(const Node& expected, const Node& v) {
    if (!expected.is_scalar() || !v.is_scalar() || expected.text() != v.text()) return false;
    return is_boolean(expected) == is_boolean(v) && is_number(expected, false) == is_number(v, false);
  }

  static bool matches(const Node& pattern, std::string_view text) {
    return std::regex_search(std::string(text), std::regex(std::string(pattern.text())));
  }

  const Node& referred(std::string_view reference) const {
    const Node* found = &root_;
    for (std::string_view rest = reference.substr(2); !rest.empty();) {
      const auto slash = std::min(rest.find('/'), rest.size());
      const Node* const next = found->find(rest.substr(0, slash));
      if (next == nullptr) throw std::runtime_error("dangling " + std::string(reference));
      found = next;
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    return *found;
  }

  bool check(const Node& schema, const Node& v) const {
    return std::ranges::all_of(schema.entries(),
                               [&](const Entry& e) { return keyword(schema, e.key->text(), *e.value, v); });
  }

  bool keyword(const Node& schema, std::string_view name, const Node& argument, const Node& v) const {
    const auto each = [&](auto test) { return std::ranges::any_of(argument.items(), test); };
    if (name == "$ref") return check(referred(argument.text()), v);
    if (name == "type")
      return argument.is_scalar() ? is_type(argument.text(), v)
                                  : each([&](const Node* t) { return is_type(t->text(), v); });
    if (name == "enum") return each([&](const Node* one) { return same(*one, v); });
    if (name == "const") return same(argument, v);
    if (name == "anyOf") return each([&](const Node* one) { return check(*one, v); });
    if (name == "oneOf")
      return std::ranges::count_if(argument.items(), [&](const Node* one) { return check(*one, v); }) == 1;
    if (name == "not") return !check(argument, v);
    if (name == "pattern") return !is_type("string", v) || matches(argument, v.text());
    if (name == "minimum" || name == "maximum") {
      if (!is_number(v, false)) return true;
      const double value = std::stod(std::string(v.text())), bound = std::stod(std::string(argument.text()));
      return name == "minimum" ? value >= bound : value <= bound;
    }
    if (name == "minItems") return !v.is_sequence() || v.size >= std::stoul(std::string(argument.text()));
    if (name == "minLength") return !v.is_scalar() || v.size >= std::stoul(std::string(argument.text()));
    if (name == "items")
      return std::ranges::all_of(v.items(), [&](const Node* item) { return check(argument, *item); });
    if (name == "required")
      return !v.is_mapping() || std::ranges::all_of(argument.items(), [&](const Node* key) {
        return v.find(key->text()) != nullptr;
      });
    if (name == "propertyNames")
      return std::ranges::all_of(v.entries(), [&](const Entry& e) { return check(argument, *e.key); });
    if (name == "properties")
      return std::ranges::all_of(v.entries(), [&](const Entry& e) {
        const Node* s = argument.find(e.key->text());
        return s == nullptr || check(*s, *e.value);
      });
    if (name == "additionalProperties")
      return std::ranges::all_of(v.entries(), [&](const Entry& e) {
        return listed(schema, e.key->text()) || (argument.is_mapping() && check(argument, *e.value));
      });
    if (name == "patternProperties" || name == "description" || name == "$defs" || name == "title" ||
        name.starts_with("$"))
      return true;
    throw std::runtime_error("keyword this validator does not know: " + std::string(name));
  }

  static bool listed(const Node& schema, std::string_view key) {
    const Node* const properties = schema.find("properties");
    if (properties != nullptr && properties->find(key) != nullptr) return true;
    const Node* const patterns = schema.find("patternProperties");
    return patterns != nullptr &&
           std::ranges::any_of(patterns->entries(), [&](const Entry& e) { return matches(*e.key, key); });
  }

  const Node& root_;
};

}  // namespace belfry::config::testing_support
