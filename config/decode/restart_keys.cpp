// The long forms of `restart` and `stop`.
#include <array>

#include "config/decode/decode.hpp"

namespace belfry::config {
namespace {

constexpr std::array<std::pair<std::string_view, RestartPolicy>, 3> policies{
    {{"no", RestartPolicy::no},
     {"on-failure", RestartPolicy::on_failure},
     {"always", RestartPolicy::always}}};
// `10`, or `10 per 5m`.
void read_restart_limit(Decoder& decoder, const Entry& entry, Restart& out) {
  auto value = decoder.text(*entry.value);
  if (!value) return;
  const auto per = value->find(" per ");
  const std::string count = value->substr(0, per);
  if (count.size() > 1 && count.front() == '0')
    return decoder.error("octal-trap", *entry.value,
                         "`" + count + "` begins with 0, which other YAML readers take for octal",
                         "write it without the 0");
  std::uint32_t number = 0;
  for (const char c : count)
    number = c >= '0' && c <= '9' && number < 100'000'000 ? number * 10 + static_cast<std::uint32_t>(c - '0')
                                                          : 1'000'000'000;
  if (count.empty() || number >= 1'000'000'000 || number == 0)
    return decoder.error("bad-value", *entry.value, "`" + *value + "` is not a limit of restarts",
                         "write a number, or a number and a time: 10 per 5m");
  out.limit = number;
  if (per == std::string::npos) return;
  const auto window = parse_duration(std::string_view(*value).substr(per + 5));
  if (!window) return decoder.malformed(*entry.value, window.error());
  out.limit_window = *window;
}

template <Duration Restart::* member>
void read_delay(Decoder& decoder, const Entry& entry, Restart& out) {
  if (auto value = decoder.duration(*entry.value)) out.*member = *value;
}

constexpr std::array<Field<Restart>, 7> restart_table{{
    {{"policy", "restart_policy", "on-failure; oneshot: no",
      "When to start the service again after it has exited.", "always"},
     [](Decoder& d, const Entry& e, Restart& out) {
       out.policy = d.choice<RestartPolicy>(*e.value, policies).value_or(out.policy);
     }},
    {{"delay", "duration", "100ms", "The first wait before a restart.", "100ms"},
     read_delay<&Restart::delay>},
    {{"max_delay", "duration", "30s", "The longest wait.", "30s"}, read_delay<&Restart::max_delay>},
    {{"factor", "number", "2", "By how much the wait grows each time; 1 or more.", "2", fits_all, "1",
      "1000"},
     [](Decoder& d, const Entry& e, Restart& out) {
       out.factor = d.number(*e.value, 1, 1000).value_or(out.factor);
     }},
    {{"jitter", "number", "0.2", "Which share of the wait is random; 0 to 1.", "0.2", fits_all, "0", "1"},
     [](Decoder& d, const Entry& e, Restart& out) {
       out.jitter = d.number(*e.value, 0, 1).value_or(out.jitter);
     }},
    {{"reset_after", "duration", "10s", "So long in ready, and the next wait is the first one again.", "10s"},
     read_delay<&Restart::reset_after>},
    {{"limit", "restart_limit", "none",
      "So many restarts, or so many within a time, and the service has failed for good.", "10 per 5m"},
     read_restart_limit},
}};

constexpr std::array<Field<Stop>, 2> stop_table{{
    {{"signal", "signal", "SIGTERM", "The signal that asks the service to stop.", "SIGINT"},
     [](Decoder& d, const Entry& e, Stop& out) { out.signal = d.signal(*e.value).value_or(out.signal); }},
    {{"timeout", "duration", "10s", "How long it may take; then its whole process tree is killed.", "20s"},
     [](Decoder& d, const Entry& e, Stop& out) { out.timeout = d.duration(*e.value).value_or(out.timeout); }},
}};

}  // namespace

Fields<Restart> restart_fields() { return restart_table; }
Fields<Stop> stop_fields() { return stop_table; }

}  // namespace belfry::config
