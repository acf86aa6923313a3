#include "config/decode/schema.hpp"

#include "config/decode/probe_kinds.hpp"
#include "config/document/json.hpp"
#include "config/keys/key.hpp"

namespace belfry::config {
namespace {

std::string description_of(const Key& key) {
  std::string text(key.meaning);
  if (!key.fallback.empty()) text.append(" Default: ").append(key.fallback).append(".");
  return text;
}

std::string property(const Key& key) {
  const auto bound = [](std::string_view name, std::string_view value) {
    return value.empty() ? std::string() : json_string(name) + ": " + std::string(value) + ", ";
  };
  return json_string(key.name) + ": {\"$ref\": \"#/$defs/" + std::string(key.type) + "\", " +
         bound("minimum", key.least) + bound("maximum", key.most) +
         "\"description\": " + json_string(description_of(key)) + "}";
}

// One requirement for each kind of probe; of what is no mapping they all hold.
std::string kinds_required() {
  std::string out;
  std::vector<std::string_view> kinds = kind_names();
  kinds.push_back("any");
  for (const std::string_view kind : kinds)
    out.append(out.empty() ? "" : ", ").append("{\"required\": [" + json_string(kind) + "]}");
  return out;
}

// A probe may have no kind yet where it is merged with others: in `defaults`, in a service that extends
// one, in a second file.
std::string one_kind_at_most() {
  return "\"oneOf\": [" + kinds_required() + ", {\"not\": {\"$ref\": \"#/$defs/has_a_kind\"}}],\n";
}

std::string object_of(const Table& table, std::string_view indent) {
  const std::string in(indent);
  std::string out = "{\n" + in + "  \"description\": " + json_string(table.meaning) + ",\n" + in +
                    "  \"type\": \"object\",\n" + in + "  \"properties\": {\n";
  for (std::size_t i = 0; i < table.keys.size(); ++i)
    out += in + "    " + property(*table.keys[i]) + (i + 1 < table.keys.size() ? ",\n" : "\n");
  out += in + "  },\n" + (table.name == "probe" ? in + "  " + one_kind_at_most() : "");
  return out + in + "  \"patternProperties\": {\"^x-\": {}},\n" + in + "  \"additionalProperties\": false\n" +
         in + "}";
}

}  // namespace

std::string schema_json() {
  std::string out =
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"$id\": "
      "\"https://belfry.example/schema.json\",\n"
      "  \"title\": \"belfry\",\n  \"$ref\": \"#/$defs/file\",\n  \"$defs\": {\n";
  out += "    \"has_a_kind\": {\"anyOf\": [" + kinds_required() + "]},\n";
  for (const ValueType& type : value_types())
    out += "    " + json_string(type.name) + ": " + std::string(type.schema) + ",\n";
  for (std::size_t i = 0; i < tables().size(); ++i)
    out += "    " + json_string(tables()[i].name) + ": " + object_of(tables()[i], "    ") +
           (i + 1 < tables().size() ? ",\n" : "\n");
  return out + "  }\n}\n";
}

}  // namespace belfry::config
