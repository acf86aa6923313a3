// The small languages in a configuration of supervisord.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "config/document/interpolate.hpp"
#include "config/import/supervisord_program.hpp"

namespace belfry::config {
namespace {

std::string dollars_doubled(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

// `02` of `%(n)02d`: so many digits, filled with zeros or blanks.
std::string in_format(long number, std::string_view format) {
  std::string digits = std::to_string(number);
  const bool zeros = format.starts_with('0');
  std::size_t width = 0;
  const auto [end, fault] = std::from_chars(format.data(), format.data() + format.size(), width);
  if (fault != std::errc{} || end != format.data() + format.size() || width > 20) return digits;
  if (digits.size() < width) digits.insert(0, width - digits.size(), zeros ? '0' : ' ');
  return digits;
}

}  // namespace

std::string Expressions::filled(const Setting& at, std::string_view text, const Values& values,
                                std::string_view owner) {
  std::string out;
  while (!text.empty()) {
    const auto percent = std::min(text.find('%'), text.size());
    out += dollars_doubled(text.substr(0, percent));
    text.remove_prefix(percent);
    if (text.starts_with("%%")) {
      out += '%';
      text.remove_prefix(2);
      continue;
    }
    const auto close = text.starts_with("%(") ? text.find(')') : std::string_view::npos;
    const auto kind = close == std::string_view::npos ? close : text.find_first_of("sdif", close);
    if (kind == std::string_view::npos || kind - close > 4 || left_ == 0) {
      if (!text.empty()) out += text.front();
      text.remove_prefix(std::min<std::size_t>(1, text.size()));
      continue;
    }
    const std::string value =
        value_of(at, text.substr(2, close - 2), text.substr(close + 1, kind - close - 1), values, owner,
                 text.substr(0, kind + 1));
    left_ -= std::min(left_, value.size());
    out += value;
    text.remove_prefix(kind + 1);
  }
  return out;
}

std::string Expressions::value_of(const Setting& at, std::string_view name, std::string_view format,
                                  const Values& values, std::string_view owner, std::string_view whole) {
  if (name.starts_with("ENV_") && is_variable_name(name.substr(4)))
    return "${" + std::string(name.substr(4)) + "}";
  if (name == "process_num" && values.counts) return "${REPLICA}";
  if (const auto number = values.numbers.find(name); number != values.numbers.end())
    return in_format(number->second, format);
  if (const auto text = values.texts.find(name); text != values.texts.end())
    return dollars_doubled(text->second);
  carrier_.left(at.at, "`" + std::string(whole.substr(0, 60)) + "` in `" + at.key + "`",
                "belfry does not know its value: write it into the file", owner);
  return dollars_doubled(whole);
}

ReadPairs read_supervisord_pairs(std::string_view text) {
  ReadPairs out;
  const auto skip = [&](std::string_view of) {
    text.remove_prefix(std::min(text.find_first_not_of(of), text.size()));
  };
  for (;;) {
    skip(" \t\r\n,");
    if (text.empty()) return out;
    const auto equals = text.find('=');
    const std::string_view name = trimmed(text.substr(0, equals));
    if (equals == std::string_view::npos || !is_variable_name(name)) {
      out.complete = false;
      text.remove_prefix(std::min(text.find(','), text.size()));
      continue;
    }
    text.remove_prefix(equals + 1);
    skip(" \t\r\n");
    std::string value;
    if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
      const char quote = text.front();
      const auto end = text.find(quote, 1);
      if (end == std::string_view::npos) out.complete = false;
      value = text.substr(1, std::min(end, text.size()) - 1);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    } else {
      const auto end = std::min(text.find_first_of(",\n"), text.size());
      value = trimmed(text.substr(0, end));
      text.remove_prefix(end);
    }
    out.pairs.emplace_back(name, std::move(value));
  }
}

const Setting* Program::find(std::string_view key) const {
  const auto found = std::ranges::find(settings.rbegin(), settings.rend(), key, &Setting::key);
  return found == settings.rend() ? nullptr : &*found;
}

std::string_view Program::text(std::string_view key) const {
  const Setting* const found = find(key);
  return found == nullptr ? std::string_view() : std::string_view(found->value);
}

long process_count(const Program& program) {
  const std::string_view text = program.text("numprocs");
  long count = 1;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
  return fault == std::errc{} && end == text.data() + text.size() && count >= 1 && count <= 100'000 ? count
                                                                                                    : 1;
}

long first_number(const Program& program) {
  const std::string_view text = program.text("numprocs_start");
  long first = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), first);
  return fault == std::errc{} && end == text.data() + text.size() && first >= 0 && first <= 1'000'000 ? first
                                                                                                      : 0;
}

bool differs_by_number(const Program& program) {
  // Replicas count from 1, and without zeros before.
  const bool counts_alike = first_number(program) == 1;
  for (const std::string_view key : {"command", "environment", "directory", "user", "socket"}) {
    std::string_view text = program.text(key);
    constexpr std::string_view name = "%(process_num)";
    for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
      const char next = at + name.size() < text.size() ? text[at + name.size()] : ' ';
      if (!counts_alike || (next != 'd' && next != 's')) return true;
    }
  }
  return false;
}

}  // namespace belfry::config
