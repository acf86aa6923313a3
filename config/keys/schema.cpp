#include "config/keys/schema.hpp"

#include "text/escape.hpp"

namespace belfry::config {
namespace {

std::string description_of(const Key& key, bool says_reload) {
  std::string text(key.meaning);
  if (!key.fallback.empty()) text.append(" Default: ").append(key.fallback).append(".");
  if (says_reload && key.works()) text.append(" On reload: ").append(name_of(key.on_reload)).append(".");
  if (!key.works()) text.append(" Not supported by this version yet: it is refused");
  if (!key.works()) text.append(key.only.empty() ? "." : ", except `" + std::string(key.only) + "`.");
  return text;
}

std::string property(const Key& key, bool says_reload) {
  const auto bound = [](std::string_view name, std::string_view value) {
    return value.empty() ? std::string() : text::json_string(name) + ": " + std::string(value) + ", ";
  };
  return text::json_string(key.name) + ": {\"$ref\": \"#/$defs/" + std::string(key.type) + "\", " +
         bound("minimum", key.least) + bound("maximum", key.most) +
         "\"description\": " + text::json_string(description_of(key, says_reload)) + "}";
}

// One requirement for each key of which there must be one; of what is no mapping they all hold.
std::string one_required(const Table& table) {
  std::string out;
  for (const std::string_view key : table.one_of)
    out.append(out.empty() ? "" : ", ").append("{\"required\": [" + text::json_string(key) + "]}");
  return out;
}

// Where such mappings are merged (in `defaults`, in a service that extends one, in a second file) one may
// have none of the keys yet.
std::string one_at_most(const Table& table) {
  return "\"oneOf\": [" + one_required(table) + ", {\"not\": {\"$ref\": \"#/$defs/has_a_kind\"}}],\n";
}

std::string object_of(const Table& table, std::string_view indent) {
  const std::string in(indent);
  std::string out = "{\n" + in + "  \"description\": " + text::json_string(table.meaning) + ",\n" + in +
                    "  \"type\": \"object\",\n" + in + "  \"properties\": {\n";
  for (std::size_t i = 0; i < table.keys.size(); ++i)
    out += in + "    " + property(*table.keys[i], table.says_reload) +
           (i + 1 < table.keys.size() ? ",\n" : "\n");
  out += in + "  },\n" + (table.one_of.empty() ? "" : in + "  " + one_at_most(table));
  return out + in + "  \"patternProperties\": {\"^x-\": {}},\n" + in + "  \"additionalProperties\": false\n" +
         in + "}";
}

}  // namespace

std::string schema_json(std::span<const Table> tables, std::span<const ValueType> types) {
  std::string out =
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"$id\": "
      "\"https://belfry.example/schema.json\",\n"
      "  \"title\": \"belfry\",\n  \"$ref\": \"#/$defs/file\",\n  \"$defs\": {\n";
  for (const Table& table : tables)
    if (!table.one_of.empty()) out += "    \"has_a_kind\": {\"anyOf\": [" + one_required(table) + "]},\n";
  for (const ValueType& type : types)
    out += "    " + text::json_string(type.name) + ": " + std::string(type.schema) + ",\n";
  for (std::size_t i = 0; i < tables.size(); ++i)
    out += "    " + text::json_string(tables[i].name) + ": " + object_of(tables[i], "    ") +
           (i + 1 < tables.size() ? ",\n" : "\n");
  return out + "  }\n}\n";
}

}  // namespace belfry::config
