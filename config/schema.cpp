#include "config/schema.hpp"

#include "config/json.hpp"
#include "config/keys.hpp"

namespace belfry::config {
namespace {

std::string description_of(Key const& key) {
  std::string text(key.meaning);
  if (!key.fallback.empty()) text.append(" Default: ").append(key.fallback).append(".");
  return text;
}

std::string property(Key const& key) {
  return json_string(key.name) + ": {\"$ref\": \"#/$defs/" + std::string(key.type) +
         "\", \"description\": " + json_string(description_of(key)) + "}";
}

std::string object_of(Table const& table, std::string_view indent) {
  std::string const in(indent);
  std::string out = "{\n" + in + "  \"description\": " + json_string(table.meaning) + ",\n" + in +
                    "  \"type\": \"object\",\n" + in + "  \"properties\": {\n";
  for (std::size_t i = 0; i < table.keys.size(); ++i)
    out += in + "    " + property(*table.keys[i]) + (i + 1 < table.keys.size() ? ",\n" : "\n");
  return out + in + "  },\n" + in + "  \"patternProperties\": {\"^x-\": {}},\n" + in +
         "  \"additionalProperties\": false\n" + in + "}";
}

}  // namespace

std::string schema_json() {
  std::string out =
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"$id\": "
      "\"https://belfry.example/schema.json\",\n"
      "  \"title\": \"belfry\",\n  \"$ref\": \"#/$defs/file\",\n  \"$defs\": {\n";
  for (ValueType const& type : value_types())
    out += "    " + json_string(type.name) + ": " + std::string(type.schema) + ",\n";
  for (std::size_t i = 0; i < tables().size(); ++i)
    out += "    " + json_string(tables()[i].name) + ": " + object_of(tables()[i], "    ") +
           (i + 1 < tables().size() ? ",\n" : "\n");
  return out + "  }\n}\n";
}

}  // namespace belfry::config
