#include "config/keys/decoder.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <utility>

#include "config/keys/text_traps.hpp"
#include "config/model/address.hpp"
#include "config/model/kernel_names.hpp"
#include "config/model/output_reference.hpp"
#include "config/model/size.hpp"
#include "text/suggest.hpp"

namespace belfry::config {

bool Decoder::hold(std::size_t bytes, Span at) {
  const bool fitted = held_ <= most_held;
  held_ += bytes;
  if (held_ <= most_held) return true;
  if (fitted)
    diagnostics_.error("too-large", at, "the values of variables add up to more than 64 MiB here",
                       "use long values in fewer places, or put them into files that the services read");
  return false;
}

std::optional<std::string> Decoder::variable(std::string_view name, const Node& node) {
  auto value = variable(name);
  return value && hold(value->size(), node.span()) ? std::move(value) : std::nullopt;
}

std::optional<std::string> Decoder::variable(std::string_view name) const {
  if (first_) {
    if (auto value = first_(name)) return value;
  }
  if (!variables_.empty())
    if (const auto found = variables_.find(std::string(name)); found != variables_.end())
      return found->second;
  if (auto value = environment_(name)) return value;
  return fallback_ ? fallback_(name) : std::nullopt;
}

std::optional<std::string> Decoder::text(const Node& node) {
  if (!node.is_scalar()) {
    mismatch(node, "text");
    return std::nullopt;
  }
  if (!node.text().contains('$')) return std::string(node.text());
  std::vector<VariableFault> faults;
  std::string value = interpolate(
      node.text(), [&](std::string_view name) { return variable(name, node); }, faults, outputs_in(node));
  if (held_ > most_held) return std::nullopt;  // reported where it happened
  replaced_.node = &node;
  replaced_.value = value;
  bool good = true;
  for (VariableFault& fault : faults) {
    diagnostics_.add({fault.error ? Severity::error : Severity::warning,
                      fault.error ? "bad-variable" : "unset-variable",
                      span_inside(node, fault.offset, fault.length),
                      std::move(fault.message),
                      std::move(fault.help),
                      {}});
    good = good && !fault.error;
  }
  return good ? std::optional(std::move(value)) : std::nullopt;
}

OutputLookup Decoder::outputs_in(const Node& node) {
  OutputLookup outputs{.is_service = is_service_, .refer = {}};
  if (!may_refer_) return outputs;
  outputs.refer = [this, &node](std::string_view service, std::string_view key, std::size_t offset,
                                std::size_t length) {
    references_.push_back({std::string(service), std::string(key), span_inside(node, offset, length)});
    return reference_to({.service = service, .key = key});
  };
  return outputs;
}

std::optional<std::string> Decoder::free_text(const Node& node) {
  auto value = text(node);
  if (value) warn_of_trap(node, *value);
  return value;
}

std::optional<std::string> Decoder::needed_text(const Node& node, std::string_view help) {
  auto value = free_text(node);
  if (!value || !value->empty()) return value;
  error("no-value", node, "this value is empty",
        help.empty() ? "give it a value, or remove the key" : std::string(help));
  return std::nullopt;
}

void Decoder::warn_of_trap(const Node& node, std::string_view value) {
  if (node.quoted || value != node.text() || !(boolean_trap(value) || octal_trap(value))) return;
  warning("yaml-trap", node, quote(value) + " is taken as it is written; other YAML readers would change it",
          "put it in quotes to say so: \"" + std::string(value) + "\"");
}

bool Decoder::octal_refused(const Node& node, std::string_view value) {
  if (!octal_trap(value)) return false;
  const auto digits = value.find_first_not_of('0');
  error("octal-trap", node, quote(value) + " begins with 0, which other YAML readers take for octal",
        "write `" + (digits == std::string_view::npos ? "0" : std::string(value.substr(digits))) + "`");
  return true;
}

// The place of a part of a scalar. Escapes and folded lines make offsets of the value differ from
// those of the source; then the part is searched for in the source.
Span Decoder::span_inside(const Node& node, std::size_t offset, std::size_t length) const {
  const Source& source = diagnostics_.sources()[node.file];
  const std::string_view part = node.text().substr(offset, length);
  const std::string_view line = source.line(node.line);
  const std::size_t start = node.column - 1 + (node.quoted ? 1U : 0U);
  const auto found = [&](std::uint32_t number, std::size_t byte) {
    return Span(node.file, number, static_cast<std::uint32_t>(byte + 1),
                static_cast<std::uint32_t>(part.size()));
  };
  if (start + offset <= line.size() && line.substr(start + offset).starts_with(part))
    return found(node.line, start + offset);
  const std::uint32_t last = std::min(source.line_count(), node.line + 200);
  for (std::uint32_t number = node.line; number <= last && !part.empty() && !part.contains('\n'); ++number)
    if (const auto at = source.line(number).find(part, number == node.line ? node.column - 1 : 0);
        at != std::string_view::npos)
      return found(number, at);
  return node.span();
}

std::optional<bool> Decoder::boolean(const Node& node) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  if (*value == "true") return true;
  if (*value == "false") return false;
  std::string help = "write `true` or `false`";
  if (boolean_trap(*value)) help += "; YAML readers disagree about " + quote(*value);
  error("bad-value", node, quote(*value) + " is neither true nor false", std::move(help));
  return std::nullopt;
}

std::optional<std::int64_t> Decoder::integer(const Node& node, std::int64_t low, std::int64_t high) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  if (octal_refused(node, *value)) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (fault == std::errc{} && end == value->data() + value->size() && number >= low && number <= high)
    return number;
  std::string range = high == std::numeric_limits<std::int64_t>::max()
                          ? std::to_string(low) + " or more"
                          : "from " + std::to_string(low) + " to " + std::to_string(high);
  error("bad-value", node, quote(*value) + " is not a whole number " + range, "write a number " + range);
  return std::nullopt;
}

std::optional<double> Decoder::number(const Node& node, double low, double high) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  if (!node.quoted && octal_refused(node, *value)) return std::nullopt;
  double number = 0;
  const auto [end, fault] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (fault == std::errc{} && end == value->data() + value->size() && std::isfinite(number) &&
      number >= low && number <= high)
    return number;
  const auto shown = [](double bound) {
    std::string s = std::to_string(bound);
    s.erase(s.find_last_not_of('0') + 1);
    if (s.ends_with('.')) s.pop_back();
    return s;
  };
  const std::string range =
      high > 1e15 ? shown(low) + " or more" : "from " + shown(low) + " to " + shown(high);
  error("bad-value", node, quote(*value) + " is not a number " + range, "write a number " + range);
  return std::nullopt;
}

std::optional<Duration> Decoder::duration(const Node& node) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  const auto parsed = parse_duration(*value);
  if (parsed) return *parsed;
  malformed(node, parsed.error());
  return std::nullopt;
}

std::optional<std::uint64_t> Decoder::size(const Node& node) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  if (!node.quoted && octal_refused(node, *value)) return std::nullopt;
  const auto parsed = parse_size(*value);
  if (parsed) return *parsed;
  malformed(node, parsed.error());
  return std::nullopt;
}

std::optional<std::uint16_t> Decoder::port(const Node& node) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  const auto parsed = parse_port(*value);
  if (parsed) return *parsed;
  malformed(node, parsed.error());
  return std::nullopt;
}

std::optional<std::uint32_t> Decoder::octal(const Node& node, std::uint32_t most) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  warn_of_trap(node, *value);
  std::string_view digits = *value;
  if (digits.starts_with("0o")) digits.remove_prefix(2);
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 8);
  if (fault == std::errc{} && end == digits.data() + digits.size() && number <= most) return number;
  error("bad-value", node, quote(*value) + " is not an octal mode", "write octal digits in quotes: \"0640\"");
  return std::nullopt;
}

std::optional<int> Decoder::signal(const Node& node) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  if (const auto number = signal_number(*value)) return number;
  const bool prefixed = value->starts_with("SIG");
  std::vector<std::string_view> names;
  for (const std::string_view name : signal_names()) names.push_back(prefixed ? name : name.substr(3));
  std::string help = text::did_you_mean(*value, names);
  error("bad-value", node, quote(*value) + " is not a signal",
        help.empty() ? "write a name such as SIGTERM or SIGINT" : std::move(help));
  return std::nullopt;
}

std::vector<std::string> Decoder::texts(const Node& node) {
  std::vector<std::string> out;
  if (node.is_scalar()) {
    if (auto value = free_text(node)) out.push_back(std::move(*value));
  } else if (node.is_sequence()) {
    for (const Node* item : node.items())
      if (auto value = free_text(*item)) out.push_back(std::move(*value));
  } else {
    mismatch(node, "text or a list of texts");
  }
  return out;
}

std::optional<std::size_t> Decoder::choose(const Node& node, std::span<const std::string_view> known) {
  const auto value = text(node);
  if (!value) return std::nullopt;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i] == *value) return i;
  std::string help(foreign_.value_help == nullptr ? "" : foreign_.value_help(*value, known));
  error("bad-value", node, quote(*value) + " is not one of the values known here",
        help.empty() ? text::did_you_mean(*value, known) : std::move(help));
  return std::nullopt;
}

bool Decoder::expect_mapping(const Node& node, std::string_view what) {
  if (node.is_mapping()) return true;
  mismatch(node, std::string(what) + " as a mapping of keys to values");
  return false;
}

bool Decoder::present(const Entry& entry, const Key& key) {
  if (entry.value->is_unresolved()) return false;
  if (!entry.value->is_null()) return true;
  if (!key.may_be_empty)
    error("no-value", *entry.key, quote(key.name) + " has no value", "give it a value, or remove it");
  return false;
}

void Decoder::note_not_yet(const Entry& entry, const Key& key, std::string_view what) {
  if (!key.only.empty() && entry.value->is_scalar() && text(*entry.value) == key.only) return;
  not_yet_.push_back({entry.key->span(), &key, what});
}

std::string Decoder::absolute(std::string_view path, std::string_view base) const {
  if (path.starts_with('/')) return std::string(path);
  const std::filesystem::path joined =
      std::filesystem::path(base.empty() ? std::string_view(directory_) : base) / path;
  std::string normal = joined.lexically_normal().string();
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

}  // namespace belfry::config
