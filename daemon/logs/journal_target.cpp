#include "daemon/logs/journal_target.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "daemon/logs/line_format.hpp"

namespace belfry::daemon {

namespace {

// NAME, a line end, the length as 64 bits little-endian, the value, a line end: for any bytes.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).push_back('\n');
  for (unsigned shift = 0; shift < 64; shift += 8)
    out.push_back(static_cast<char>((value.size() >> shift) & 0xFFU));
  out.append(value).push_back('\n');
}

}  // namespace

std::string journal_entry(const LogRecord& record, std::string_view stack) {
  std::string entry;
  entry.reserve(record.text.size() + 256);
  append_field(entry, "MESSAGE", record.text);
  append_field(entry, "PRIORITY", std::to_string(record.priority));
  append_field(entry, "SYSLOG_IDENTIFIER", record.name);
  append_field(entry, "BELFRY_STACK", stack);
  append_field(entry, "BELFRY_SERVICE", record.name);
  append_field(entry, "BELFRY_INCARNATION", record.incarnation);
  append_field(entry, "BELFRY_STREAM", record.stream);
  return entry;
}

ssize_t JournalTarget::write(std::string_view lines) {
  if (reopen_.exchange(false)) socket_.close();
  const std::size_t end = std::min(lines.find('\n'), lines.size());
  const auto done = static_cast<ssize_t>(std::min(end + 1, lines.size()));
  const auto record = read_record(lines.substr(0, end));
  if (!record) return done;
  const std::string entry = journal_entry(*record, stack_);
  int error = socket_.send(entry);
  if (error == EMSGSIZE || error == ENOBUFS) error = socket_.send_in_memory(entry);
  return error == 0 ? done : -error;
}

std::string JournalTarget::marker(std::uint64_t lines, std::string_view why) {
  return LineFormat("belfry", {.form = LineStyle::Form::record}).marker(lines, why);
}

}  // namespace belfry::daemon
