#include "config/document/report.hpp"

#include <algorithm>
#include <set>

#include "text/escape.hpp"

namespace belfry::config {
namespace {

struct Position {
  std::uint32_t line = 0;       // from 0
  std::uint32_t character = 0;  // UTF-16 units, from 0
};
struct Range {
  Position start, end;
};

Range range_of(Span where, const Diagnostics::Sources& sources) {
  if (where.line == 0 || where.file >= sources.size()) return {};
  const Source& source = sources[where.file];
  const std::string_view line = source.line(where.line);
  const std::uint32_t length =
      where.length > 0 ? where.length : source.token_length(where.line, where.column);
  return {{where.line - 1, utf16_offset(line, where.column)},
          {where.line - 1, utf16_offset(line, where.column + length)}};
}

std::string file_of(Span where, const Diagnostics::Sources& sources) {
  return where.file < sources.size() ? text::json_string(printable(sources[where.file].name())) : "null";
}

std::string lsp_range(const Range& range) {
  const auto position = [](Position at) {
    return "{\"line\": " + std::to_string(at.line) + ", \"character\": " + std::to_string(at.character) + "}";
  };
  return "{\"start\": " + position(range.start) + ", \"end\": " + position(range.end) + "}";
}

std::string text_of(std::string_view text) { return text::json_string(printable(text)); }

// A path as a relative or absolute URI reference (RFC 3986): SARIF asks for one.
std::string uri_of(Span where, const Diagnostics::Sources& sources) {
  if (where.file >= sources.size()) return "\"\"";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string uri;
  for (const char c : sources[where.file].name()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").contains(c);
    if (plain)
      uri += c;
    else
      uri.append("%").append({digits[byte >> 4U], digits[byte & 15U]});
  }
  return text::json_string(uri);
}

std::string_view sarif_level(Severity severity) {
  constexpr std::string_view levels[] = {"\"error\"", "\"warning\"", "\"note\""};
  return levels[static_cast<std::size_t>(severity)];
}

std::string sarif_location(Span where, const Diagnostics::Sources& sources, const std::string& message) {
  const Range range = range_of(where, sources);
  std::string out = "{\"physicalLocation\": {\"artifactLocation\": {\"uri\": " + uri_of(where, sources) + "}";
  if (where.line > 0)
    out += ", \"region\": {\"startLine\": " + std::to_string(range.start.line + 1) +
           ", \"startColumn\": " + std::to_string(range.start.character + 1) +
           ", \"endColumn\": " + std::to_string(range.end.character + 1) + "}";
  out += "}";
  if (!message.empty()) out += ", \"message\": {\"text\": " + text_of(message) + "}";
  return out + "}";
}

}  // namespace

std::string diagnostics_json(const Diagnostics& diagnostics) {
  const auto& sources = diagnostics.sources();
  std::string out = "{\"diagnostics\": [";
  for (std::size_t i = 0; i < diagnostics.size(); ++i) {
    const Diagnostic& one = diagnostics[i];
    out += (i == 0 ? "\n" : ",\n");
    out += "  {\"file\": " + file_of(one.where, sources) +
           ", \"range\": " + lsp_range(range_of(one.where, sources)) +
           ", \"severity\": " + std::to_string(static_cast<int>(one.severity) + 1) +
           ", \"code\": " + text::json_string(one.rule) +
           ", \"source\": \"belfry\", \"message\": " + text_of(one.message) +
           ", \"help\": " + text_of(one.help) + ", \"related\": [";
    for (std::size_t n = 0; n < one.notes.size(); ++n)
      out += std::string(n == 0 ? "" : ", ") + "{\"file\": " + file_of(one.notes[n].where, sources) +
             ", \"range\": " + lsp_range(range_of(one.notes[n].where, sources)) +
             ", \"message\": " + text_of(one.notes[n].text) + "}";
    out += "]}";
  }
  return out + "\n], \"errors\": " + std::to_string(diagnostics.errors()) +
         ", \"warnings\": " + std::to_string(diagnostics.warnings()) +
         ", \"omitted\": " + std::to_string(diagnostics.omitted()) + "}\n";
}

std::string diagnostics_sarif(const Diagnostics& diagnostics, std::string_view version) {
  const auto& sources = diagnostics.sources();
  std::set<std::string_view> rules;
  for (const Diagnostic& one : diagnostics) rules.insert(one.rule);
  std::string out =
      "{\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\", \"version\": \"2.1.0\", \"runs\": "
      "[{\n"
      " \"tool\": {\"driver\": {\"name\": \"belfry\", \"version\": " +
      text::json_string(version) + ", \"rules\": [";
  for (auto rule = rules.begin(); rule != rules.end(); ++rule)
    out += std::string(rule == rules.begin() ? "" : ", ") + "{\"id\": " + text::json_string(*rule) + "}";
  out += "]}},\n \"columnKind\": \"utf16CodeUnits\",\n \"results\": [";
  for (std::size_t i = 0; i < diagnostics.size(); ++i) {
    const Diagnostic& one = diagnostics[i];
    out += (i == 0 ? "\n" : ",\n");
    out += "  {\"ruleId\": " + text::json_string(one.rule) +
           ", \"level\": " + std::string(sarif_level(one.severity)) +
           ", \"message\": {\"text\": " + text_of(one.message + (one.help.empty() ? "" : "\n" + one.help)) +
           "}, \"locations\": [" + sarif_location(one.where, sources, "") + "]";
    if (!one.notes.empty()) {
      out += ", \"relatedLocations\": [";
      for (std::size_t n = 0; n < one.notes.size(); ++n)
        out += (n == 0 ? "" : ", ") + sarif_location(one.notes[n].where, sources, one.notes[n].text);
      out += "]";
    }
    out += "}";
  }
  return out + "\n ]}]}\n";
}

}  // namespace belfry::config
