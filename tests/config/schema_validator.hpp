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
  explicit SchemaValidator(Node const& root) : root_(root) {}
  [[nodiscard]] bool valid(Node const& value) const { return check(root_, value); }

 private:
  static bool is_number(Node const& v, bool whole) {
    static std::regex const integer("-?(0|[1-9][0-9]*)"), real("-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    return v.is_scalar() && !v.quoted && std::regex_match(std::string(v.text()), whole ? integer : real);
  }
  static bool is_boolean(Node const& v) {
    return v.is_scalar() && !v.quoted && (v.text() == "true" || v.text() == "false");
  }

  static bool is_type(std::string_view type, Node const& v) {
    if (type == "null") return v.is_null();
    if (type == "object") return v.is_mapping();
    if (type == "array") return v.is_sequence();
    if (type == "boolean") return is_boolean(v);
    if (type == "integer") return is_number(v, true);
    if (type == "number") return is_number(v, false);
    return v.is_scalar() && !is_boolean(v) && !is_number(v, false);
  }

  static bool same(Node const& expected, Node const& v) {
    if (!expected.is_scalar() || !v.is_scalar() || expected.text() != v.text()) return false;
    return is_boolean(expected) == is_boolean(v) && is_number(expected, false) == is_number(v, false);
  }

  static bool matches(Node const& pattern, std::string_view text) {
    return std::regex_search(std::string(text), std::regex(std::string(pattern.text())));
  }

  Node const& referred(std::string_view reference) const {
    Node const* found = &root_;
    for (std::string_view rest = reference.substr(2); !rest.empty();) {
      auto const slash = std::min(rest.find('/'), rest.size());
      Node const* const next = found->find(rest.substr(0, slash));
      if (next == nullptr) throw std::runtime_error("dangling " + std::string(reference));
      found = next;
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    return *found;
  }

  bool check(Node const& schema, Node const& v) const {
    return std::ranges::all_of(schema.entries(),
                               [&](Entry const& e) { return keyword(schema, e.key->text(), *e.value, v); });
  }

  bool keyword(Node const& schema, std::string_view name, Node const& argument, Node const& v) const {
    auto const each = [&](auto test) { return std::ranges::any_of(argument.items(), test); };
    if (name == "$ref") return check(referred(argument.text()), v);
    if (name == "type")
      return argument.is_scalar() ? is_type(argument.text(), v)
                                  : each([&](Node const* t) { return is_type(t->text(), v); });
    if (name == "enum") return each([&](Node const* one) { return same(*one, v); });
    if (name == "const") return same(argument, v);
    if (name == "anyOf") return each([&](Node const* one) { return check(*one, v); });
    if (name == "oneOf")
      return std::ranges::count_if(argument.items(), [&](Node const* one) { return check(*one, v); }) == 1;
    if (name == "not") return !check(argument, v);
    if (name == "pattern") return !is_type("string", v) || matches(argument, v.text());
    if (name == "minimum" || name == "maximum") {
      if (!is_number(v, false)) return true;
      double const value = std::stod(std::string(v.text())), bound = std::stod(std::string(argument.text()));
      return name == "minimum" ? value >= bound : value <= bound;
    }
    if (name == "minItems") return !v.is_sequence() || v.size >= std::stoul(std::string(argument.text()));
    if (name == "minLength") return !v.is_scalar() || v.size >= std::stoul(std::string(argument.text()));
    if (name == "items")
      return std::ranges::all_of(v.items(), [&](Node const* item) { return check(argument, *item); });
    if (name == "required")
      return !v.is_mapping() || std::ranges::all_of(argument.items(), [&](Node const* key) {
        return v.find(key->text()) != nullptr;
      });
    if (name == "propertyNames")
      return std::ranges::all_of(v.entries(), [&](Entry const& e) { return check(argument, *e.key); });
    if (name == "properties")
      return std::ranges::all_of(v.entries(), [&](Entry const& e) {
        Node const* s = argument.find(e.key->text());
        return s == nullptr || check(*s, *e.value);
      });
    if (name == "additionalProperties")
      return std::ranges::all_of(v.entries(), [&](Entry const& e) {
        return listed(schema, e.key->text()) || (argument.is_mapping() && check(argument, *e.value));
      });
    if (name == "patternProperties" || name == "description" || name == "$defs" || name == "title" ||
        name.starts_with("$"))
      return true;
    throw std::runtime_error("keyword this validator does not know: " + std::string(name));
  }

  static bool listed(Node const& schema, std::string_view key) {
    Node const* const properties = schema.find("properties");
    if (properties != nullptr && properties->find(key) != nullptr) return true;
    Node const* const patterns = schema.find("patternProperties");
    return patterns != nullptr &&
           std::ranges::any_of(patterns->entries(), [&](Entry const& e) { return matches(*e.key, key); });
  }

  Node const& root_;
};

}  // namespace belfry::config::testing_support
