#include "daemon/notify/message.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "config/model/output_reference.hpp"
#include "text/utf8.hpp"

namespace belfry::daemon {

namespace {

constexpr std::size_t longest_descriptor_name = 255;

template <class Integer>
std::optional<Integer> number(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Microseconds as the protocol counts them. More than a clock can hold is "for ever".
std::optional<Duration> microseconds(std::string_view text) {
  const auto value = number<std::uint64_t>(text);
  if (!value) return std::nullopt;
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 4000);
  return std::chrono::microseconds(static_cast<std::int64_t>(std::min(*value, most)));
}

bool is_descriptor_name(std::string_view name) {
  return name.size() <= longest_descriptor_name && std::ranges::all_of(name, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte >= 0x20 && byte < 0x7F && c != ':';
         });
}

using Reader = void (*)(NotifyMessage& message, std::string_view value);

struct Assignment {
  std::string_view name;
  Reader read;
};

void set_if(bool& flag, std::string_view value) { flag = flag || value == "1"; }

constexpr std::array assignments = {
    Assignment{"READY", [](NotifyMessage& m, std::string_view v) { set_if(m.ready, v); }},
    Assignment{"STOPPING", [](NotifyMessage& m, std::string_view v) { set_if(m.stopping, v); }},
    Assignment{"RELOADING", [](NotifyMessage& m, std::string_view v) { set_if(m.reloading, v); }},
    Assignment{"STATUS", [](NotifyMessage& m, std::string_view v) { m.status = std::string(v); }},
    Assignment{"MONOTONIC_USEC",
               [](NotifyMessage& m, std::string_view v) {
                 if (const auto at = microseconds(v)) m.monotonic = TimePoint(*at);
               }},
    Assignment{"WATCHDOG",
               [](NotifyMessage& m, std::string_view v) {
                 if (v == "1") m.watchdog = WatchdogPing::alive;
                 if (v == "trigger") m.watchdog = WatchdogPing::trigger;
               }},
    Assignment{"WATCHDOG_USEC",
               [](NotifyMessage& m, std::string_view v) { m.watchdog_interval = microseconds(v); }},
    Assignment{"EXTEND_TIMEOUT_USEC",
               [](NotifyMessage& m, std::string_view v) { m.extend_timeout = microseconds(v); }},
    Assignment{"MAINPID",
               [](NotifyMessage& m, std::string_view v) {
                 if (const auto pid = number<pid_t>(v); pid && *pid > 1) m.main_pid = pid;
               }},
    Assignment{"ERRNO",
               [](NotifyMessage& m, std::string_view v) {
                 if (const auto value = number<int>(v); value && *value >= 0 && *value < 4096)
                   m.errnum = value;
               }},
    Assignment{"EXIT_STATUS",
               [](NotifyMessage& m, std::string_view v) {
                 if (const auto value = number<int>(v); value && *value >= 0 && *value < 256)
                   m.exit_status = value;
               }},
    Assignment{"FDSTORE", [](NotifyMessage& m, std::string_view v) { set_if(m.store_descriptors, v); }},
    Assignment{"FDSTOREREMOVE",
               [](NotifyMessage& m, std::string_view v) { set_if(m.remove_descriptors, v); }},
    Assignment{"FDNAME",
               [](NotifyMessage& m, std::string_view v) {
                 if (is_descriptor_name(v)) m.descriptor_name = std::string(v);
               }},
    Assignment{"FDPOLL",
               [](NotifyMessage& m, std::string_view v) {
                 if (v == "0") m.poll_descriptors = false;
               }},
};

// A value that is not UTF-8 is found out by whoever keeps it.
void read_output(NotifyMessage& message, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view key = assignment.substr(0, equals);
  if (equals == std::string_view::npos || !config::is_output_key(key))
    ++message.bad_outputs;
  else
    message.outputs.emplace_back(key, assignment.substr(equals + 1));
}

void read_line(NotifyMessage& message, std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return;
  if (line.substr(0, equals) == "X_BELFRY_SET") return read_output(message, line.substr(equals + 1));
  const auto known = std::ranges::find(assignments, line.substr(0, equals), &Assignment::name);
  if (known != assignments.end()) known->read(message, line.substr(equals + 1));
}

}  // namespace

std::expected<NotifyMessage, NotifyRefusal> parse_notify_message(std::string_view datagram) {
  if (datagram.size() > longest_notify_message) return std::unexpected(NotifyRefusal::too_long);
  if (!datagram.empty() && datagram.back() == '\0') datagram.remove_suffix(1);
  if (datagram.find('\0') != std::string_view::npos) return std::unexpected(NotifyRefusal::has_nul);
  NotifyMessage message;
  std::size_t other_lines = 0;
  while (!datagram.empty()) {
    const std::size_t end = datagram.find('\n');
    const std::string_view line = datagram.substr(0, end);
    datagram.remove_prefix(end == std::string_view::npos ? datagram.size() : end + 1);
    if (line == "BARRIER=1") {
      message.barrier = true;
    } else if (!line.empty()) {
      ++other_lines;
      read_line(message, line);
    }
  }
  if (message.barrier && other_lines > 0) return std::unexpected(NotifyRefusal::bad_barrier);
  // What it says beside counts all the same: READY=1 is worth more than the words that came with it.
  if (message.status && !text::is_utf8(*message.status)) {
    if (other_lines == 1) return std::unexpected(NotifyRefusal::not_utf8);
    message.status.reset();
    message.bad_status = true;
  }
  return message;
}

}  // namespace belfry::daemon
