#include "cli/render.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <string_view>

#include "cli/table.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using std::chrono::nanoseconds;

std::string two_digits(long long value) { return (value < 10 ? "0" : "") + std::to_string(value); }

Colour colour_of(const ServiceStatus& service) {
  if (service.state == "ready") return Colour::green;
  if (service.state == "completed" || service.state == "inactive") return Colour::dim;
  if (service.state == "failed" || service.state == "blocked") return Colour::red;
  return Colour::yellow;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) (line += line.empty() ? "" : ", ") += word;
  return line.empty() ? "-" : line;
}

std::string summary(const StackStatus& status, bool use_colour) {
  const auto is_ready = [](const ServiceStatus& service) { return service.ready; };
  const auto ready = std::ranges::count_if(status.services, is_ready);
  std::string verdict = painted("not ready", Colour::yellow, use_colour);
  if (status.ready) verdict = painted("ready", Colour::green, use_colour);
  if (status.shutting_down) verdict = painted("shutting down", Colour::yellow, use_colour);
  return text::visible(status.stack) + ": " + verdict + ", " + std::to_string(ready) + " of " +
         std::to_string(status.services.size()) + " services ready\n";
}

std::vector<Cell> heading() {
  return {{"NAME", Colour::bold, false},    {"STATE", Colour::bold, false},
          {"SINCE", Colour::bold, true},    {"PID", Colour::bold, true},
          {"RESTARTS", Colour::bold, true}, {"WAITING FOR", Colour::bold, false}};
}

std::string time_until(std::int64_t moment_ns, std::int64_t now_ns) {
  return humanised(nanoseconds(std::max<std::int64_t>(0, moment_ns - now_ns)));
}

// One that rests until its time comes waits for that.
std::string waits_of(const ServiceStatus& service, std::int64_t now_ns) {
  const bool rests = service.state == "inactive" || service.state == "completed" || service.state == "failed";
  if (!rests || !service.schedule || !service.schedule->next_ns) return joined(service.waiting_for);
  return "its next run, in " + time_until(*service.schedule->next_ns, now_ns);
}

std::vector<Cell> row_of(const ServiceStatus& service, std::int64_t now_ns) {
  const std::string since = humanised(nanoseconds(std::max<std::int64_t>(0, now_ns - service.since_ns)));
  return {{text::visible(service.name), Colour::none, false},
          {text::visible(service.state), colour_of(service), false},
          {since, Colour::none, true},
          {service.pid ? std::to_string(*service.pid) : "-", Colour::none, true},
          {std::to_string(service.restarts), Colour::none, true},
          {text::visible(waits_of(service, now_ns)), Colour::none, false}};
}

// Its own bells: "api: rung: booted; not yet: warm".
void append_bells(std::string& out, const ServiceStatus& service) {
  if (service.bells.empty()) return;
  std::string rung, silent;
  for (const auto& [name, has_rung] : service.bells) {
    std::string& list = has_rung ? rung : silent;
    (list += list.empty() ? "" : ", ") += text::visible(name);
  }
  out += text::visible(service.name) + ":";
  if (!rung.empty()) out += " rung: " + rung;
  if (!silent.empty()) out += (rung.empty() ? " not yet: " : "; not yet: ") + silent;
  out += "\n";
}

// What a service says of itself, or what went wrong with it.
void append_remark(std::string& out, const ServiceStatus& service, bool use_colour) {
  const bool complains = !service.ready && !service.last_error.empty();
  const std::string& remark = complains ? service.last_error : service.status_text;
  if (remark.empty()) return;
  const std::string line = text::visible(service.name) + ": " + text::visible(remark);
  out += painted(line, complains ? Colour::red : Colour::none, use_colour) + "\n";
}

// Messages that were not taken: somebody speaks who may not, or speaks nonsense.
void append_refusals(std::string& out, const ServiceStatus& service, bool use_colour) {
  std::int64_t sum = 0;
  std::string reasons;
  for (const auto& [why, count] : service.notify_refused) {
    sum += count;
    std::string words = text::visible(why);
    std::ranges::replace(words, '_', ' ');
    reasons += (reasons.empty() ? "" : ", ") + words + " " + std::to_string(count);
  }
  if (sum == 0) return;
  const std::string line =
      text::visible(service.name) + ": " + std::to_string(sum) + " notify messages refused (" + reasons + ")";
  out += painted(line, Colour::yellow, use_colour) + "\n";
}

// What its bells carry; secrets come as "***".
void append_outputs(std::string& out, const ServiceStatus& service) {
  for (const auto& [key, value] : service.outputs)
    out += text::visible(service.name) + ": " + text::visible(key) + "=" + text::visible(value) + "\n";
}

void append_method(std::string& out, const ServiceStatus& service) {
  if (service.readiness_method.empty()) return;
  out += text::visible(service.name) + ": " + text::visible(service.readiness_method) + "\n";
}

// "nightly: 0 3 * * * (UTC), next in 4h 12m, 2 runs missed, 1 skipped".
void append_schedule(std::string& out, const ServiceStatus& service, std::int64_t now_ns) {
  if (!service.schedule) return;
  const auto& schedule = *service.schedule;
  out += text::visible(service.name) + ": " + text::visible(schedule.text);
  out += schedule.next_ns ? ", next in " + time_until(*schedule.next_ns, now_ns) : ", not by itself now";
  if (schedule.queued) out += ", a run is queued";
  if (schedule.missed > 0) out += ", " + std::to_string(schedule.missed) + " missed";
  if (schedule.skipped > 0) out += ", " + std::to_string(schedule.skipped) + " skipped";
  out += "\n";
}

std::string bytes_text(std::int64_t bytes) {
  static constexpr const char* units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || value >= 100 ? "%.0f" : "%.1f", value);
  return std::string(text) + units[unit];
}

// What its runs took that are over, the newest first.
void append_past_runs(std::string& out, const ServiceStatus& service, std::int64_t now_ns,
                      Terminal terminal) {
  if (service.past_runs.empty()) return;
  std::vector<std::vector<Cell>> rows = {{{"RUN", Colour::bold, true},
                                          {"STARTED", Colour::bold, true},
                                          {"LASTED", Colour::bold, true},
                                          {"CPU", Colour::bold, true},
                                          {"PEAK MEMORY", Colour::bold, true},
                                          {"OOM KILLS", Colour::bold, true},
                                          {"END", Colour::bold, false}}};
  for (auto run = service.past_runs.rbegin(); run != service.past_runs.rend(); ++run) {
    const auto ago = nanoseconds(std::max<std::int64_t>(0, now_ns - run->started_ns));
    const std::string peak = run->peak_memory ? bytes_text(*run->peak_memory) : "-";
    rows.push_back({{std::to_string(run->number), Colour::none, true},
                    {humanised(ago) + " ago", Colour::none, true},
                    {precise(nanoseconds(run->wall_ns)), Colour::none, true},
                    {precise(nanoseconds(run->cpu_ns)), Colour::none, true},
                    {(run->peak_is_bound ? "<= " : "") + peak, Colour::none, true},
                    {std::to_string(run->oom_kills), Colour::none, true},
                    {run->end.empty() ? "-" : text::visible(run->end), Colour::none, false}});
  }
  out += text::visible(service.name) + ": runs that are over\n";
  out += render_table(rows, terminal.width, terminal.colour);
}

// Who is asked though he could be heard, by reason: "asked every 10 ms (no CAP_SYS_ADMIN; …): api, web".
void append_polled(std::string& out, const std::vector<ServiceStatus>& services) {
  std::map<std::string_view, std::vector<std::string>> names;
  for (const ServiceStatus& service : services) {
    if (!service.readiness_polling.empty()) names[service.readiness_polling].push_back(service.name);
  }
  for (const auto& [why, who] : names) out += text::visible(std::string(why) + ": " + joined(who)) + "\n";
}

}  // namespace

std::string humanised(Duration duration) {
  const long long seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 60) return std::to_string(seconds) + "s";
  const long long minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (minutes < 60) return std::to_string(minutes) + "m " + two_digits(seconds % 60) + "s";
  if (hours < 24) return std::to_string(hours) + "h " + two_digits(minutes % 60) + "m";
  return std::to_string(days) + "d " + two_digits(hours % 24) + "h";
}

std::string precise(Duration duration) {
  const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
  char text[32];
  if (milliseconds >= 60'000) return humanised(duration);
  if (milliseconds >= 999.5)
    std::snprintf(text, sizeof text, "%.1fs", milliseconds / 1000);
  else
    std::snprintf(text, sizeof text, milliseconds < 10 ? "%.1fms" : "%.0fms", milliseconds);
  return text;
}

std::string render_status(const StackStatus& status, Terminal terminal) {
  std::string out = summary(status, terminal.colour);
  if (status.services.empty()) return out;
  std::vector<std::vector<Cell>> rows = {heading()};
  for (const ServiceStatus& service : status.services) rows.push_back(row_of(service, status.now_ns));
  out += "\n" + render_table(rows, terminal.width, terminal.colour);
  std::string remarks;
  for (const ServiceStatus& service : status.services) {
    append_bells(remarks, service);
    append_remark(remarks, service, terminal.colour);
    append_refusals(remarks, service, terminal.colour);
  }
  if (status.detailed) {
    for (const ServiceStatus& service : status.services) {
      append_method(remarks, service);
      append_schedule(remarks, service, status.now_ns);
      append_outputs(remarks, service);
      append_past_runs(remarks, service, status.now_ns, terminal);
    }
  } else {
    append_polled(remarks, status.services);
  }
  return remarks.empty() ? out : out + "\n" + remarks;
}

}  // namespace belfry::cli
