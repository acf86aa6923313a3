#include "history/history.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "history/checksum.hpp"

namespace belfry::daemon {

namespace {

constexpr std::string_view name_of_format = "belfry";
constexpr std::string_view version = "belfry1 ";
constexpr std::size_t longest_text = 4096;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:/()'").contains(c);
}

void append_text(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : text.substr(0, longest_text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain(c))
      out += c;
    else
      ((out += '%') += hex[byte >> 4U]) += hex[byte & 0xFU];
  }
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

std::optional<std::string> read_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4U | *low);
    i += 2;
  }
  return out;
}

template <class T>
std::optional<T> read_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The next word up to `mark`, which is taken out.
std::string_view next_word(std::string_view& rest, char mark) {
  const std::size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

void append_duration(std::string& out, const std::optional<Duration>& duration) {
  out += duration ? std::to_string(duration->count()) : "-";
}

bool read_duration(std::string_view text, std::optional<Duration>& out) {
  if (text == "-") return true;
  const auto count = read_number<std::int64_t>(text);
  if (count) out = Duration(*count);
  return count.has_value();
}

std::optional<HistoryService> read_service(std::string_view text) {
  HistoryService service;
  const auto name = read_text(next_word(text, ','));
  const bool waited = read_duration(next_word(text, ','), service.waited);
  const bool took = read_duration(next_word(text, ','), service.took);
  const auto attempts = read_number<std::uint32_t>(next_word(text, ','));
  const auto result = read_text(next_word(text, ','));
  if (!name || name->empty() || !waited || !took || !attempts || !result || !text.empty())
    return std::nullopt;
  service.name = *name;
  service.attempts = *attempts;
  service.result = *result;
  return service;
}

// "key=value"; the value, or nothing.
std::optional<std::string_view> value_of(std::string_view word, std::string_view key) {
  if (!word.starts_with(key) || word.size() <= key.size() || word[key.size()] != '=') return std::nullopt;
  return word.substr(key.size() + 1);
}

std::optional<HistoryEntry> read_payload(std::string_view rest) {
  HistoryEntry entry;
  const auto value = [&rest](std::string_view key) { return value_of(next_word(rest, ' '), key); };
  const auto kind = value("kind");
  const auto at = value("at"), took = value("took"), succeeded = value("succeeded"), code = value("exit");
  const auto reason = value("reason"), services = value("services");
  if (!kind || !at || !took || !succeeded || !code || !reason || !services) return std::nullopt;
  const auto at_ns = read_number<std::int64_t>(*at), took_ns = read_number<std::int64_t>(*took);
  const auto exit = read_number<int>(*code);
  const auto why = read_text(*reason);
  const auto in_all = read_number<std::uint64_t>(*services);
  const bool known = (*kind == "start" || *kind == "stop") && (*succeeded == "0" || *succeeded == "1");
  if (!known || !at_ns || !took_ns || !exit || !why || !in_all) return std::nullopt;
  entry.kind = *kind == "start" ? HistoryEntry::Kind::start : HistoryEntry::Kind::stop;
  entry.at = WallMoment(std::chrono::nanoseconds(*at_ns));
  entry.took = Duration(*took_ns);
  entry.succeeded = *succeeded == "1";
  entry.exit_code = *exit;
  entry.reason = *why;
  entry.services_in_all = *in_all;
  while (!rest.empty()) {
    auto service = read_service(next_word(rest, ' '));
    if (!service || entry.services.size() == most_services_in_history) return std::nullopt;
    entry.services.push_back(std::move(*service));
  }
  return entry;
}

std::string checksum_of(std::string_view payload) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", crc32c(payload));
  return digits;
}

bool is_of_a_later_version(std::string_view line) {
  if (!line.starts_with(name_of_format)) return false;
  const auto number = read_number<unsigned>(line.substr(0, line.find(' ')).substr(name_of_format.size()));
  return number && *number > 1;
}

}  // namespace

std::string history_line(const HistoryEntry& entry) {
  std::string payload = entry.kind == HistoryEntry::Kind::start ? "kind=start" : "kind=stop";
  payload += " at=" + std::to_string(entry.at.time_since_epoch().count());
  payload += " took=" + std::to_string(entry.took.count());
  payload += entry.succeeded ? " succeeded=1" : " succeeded=0";
  payload += " exit=" + std::to_string(entry.exit_code) + " reason=";
  append_text(payload, entry.reason);
  payload += " services=" + std::to_string(entry.services_in_all);
  for (std::size_t i = 0; i < std::min(entry.services.size(), most_services_in_history); ++i) {
    const HistoryService& service = entry.services[i];
    append_text(payload += ' ', service.name);
    append_duration(payload += ',', service.waited);
    append_duration(payload += ',', service.took);
    payload += "," + std::to_string(service.attempts) + ",";
    append_text(payload, service.result);
  }
  return std::string(version) + checksum_of(payload) + " " + payload + "\n";
}

History read_history(std::string_view text) {
  History history;
  while (!text.empty()) {
    const bool whole = text.contains('\n');
    const std::string_view line = next_word(text, '\n');
    if (line.empty()) continue;
    if (is_of_a_later_version(line)) {
      ++history.unknown;
      continue;
    }
    std::optional<HistoryEntry> entry;
    if (whole && line.starts_with(version) && line.size() > version.size() + 9 &&
        line[version.size() + 8] == ' ') {
      const std::string_view checksum = line.substr(version.size(), 8);
      const std::string_view payload = line.substr(version.size() + 9);
      if (checksum == checksum_of(payload)) entry = read_payload(payload);
    }
    if (entry)
      history.entries.push_back(std::move(*entry));
    else
      ++history.damaged;
  }
  return history;
}

}  // namespace belfry::daemon
