#include "config/model/output_reference.hpp"

#include <algorithm>

#include "config/model/model.hpp"

namespace belfry::config {

namespace {

constexpr char mark = '\0';

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Calls f(text) for each text of the probe in which a reference may stand.
template <class SomeProbe, class F>
void each_text(SomeProbe& probe, F&& f) {
  f(probe.target);
  if (!probe.command->empty())
    for (auto& word : *probe.command) f(word);
  if (!probe.query->empty()) f(*probe.query);
  if (!probe.server->empty()) f(*probe.server);
  if (probe.http)
    for (auto& [name, value] : probe.http->headers) f(value);
  if (probe.tcp) f(probe.tcp->send);
}

}  // namespace

std::string upper_case(std::string_view key) {
  std::string out(key);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string key_of_host(std::string_view host, std::string_view key) {
  return std::string(host) + "." + std::string(key);
}

bool is_output_key(std::string_view key) {
  return !key.empty() && key.size() <= longest_output_key && is_letter(key.front()) &&
         std::ranges::all_of(key, [](char c) { return is_letter(c) || is_digit(c); });
}

std::string output_variable(OutputName output) {
  std::string name = upper_case("BELFRY_OUT_" + std::string(output.service) + "_" + std::string(output.key));
  for (char& c : name)
    if (!is_letter(c) && !is_digit(c)) c = '_';
  return name;
}

std::string reference_to(OutputName output) {
  return mark + std::string(output.service) + '.' + std::string(output.key) + mark;
}

bool has_reference(std::string_view text) { return text.contains(mark); }

bool has_reference(const Probe& probe) {
  bool found = false;
  each_text(probe, [&](const std::string& text) { found = found || has_reference(text); });
  return found;
}

std::string with_outputs(std::string_view text, const OutputValue& value) {
  std::string out;
  while (true) {
    const std::size_t start = text.find(mark);
    out += text.substr(0, start);
    if (start == std::string_view::npos) return out;
    const std::size_t end = text.find(mark, start + 1);
    const std::string_view name = text.substr(start + 1, end - start - 1);
    const std::size_t dot = name.rfind('.');  // a service may have dots in its name, a key has none
    out += value({.service = name.substr(0, dot), .key = name.substr(dot + 1)});
    text.remove_prefix(end + 1);
  }
}

void put_outputs_into(Probe& probe, const OutputValue& value) {
  each_text(probe, [&](std::string& text) {
    if (has_reference(text)) text = with_outputs(text, value);
  });
}

std::string written_out(OutputName output) {
  return "${" + std::string(output.service) + "." + std::string(output.key) + "}";
}

std::string with_references_written_out(std::string_view text) { return with_outputs(text, written_out); }

}  // namespace belfry::config
