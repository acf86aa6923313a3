#include "config/graph/times.hpp"

#include <charconv>
#include <cmath>

namespace belfry::config {
namespace {

constexpr std::string_view metric = "belfry_service_ready_seconds_";

std::string_view trimmed(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r");
  return start == std::string_view::npos ? std::string_view()
                                         : text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

template <class Use>
void each_line(std::string_view text, Use use) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    use(++number, trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
}

struct Histogram {
  double sum = 0;
  double count = 0;
};

// `sum{…,service="db",…} 1.5` of the metric, whose prefix is cut off already.
void read_sample(std::string_view line, std::map<std::string, Histogram, std::less<>>& out) {
  constexpr std::string_view label = "service=\"";
  const bool sum = line.starts_with("sum{"), count = line.starts_with("count{");
  const auto start = line.find(label);
  const auto value_at = line.rfind(' ');
  if ((!sum && !count) || start == std::string_view::npos || value_at == std::string_view::npos) return;
  const auto name = line.substr(start + label.size());
  const auto end = name.find('"');
  double value = 0;
  const std::string_view number = line.substr(value_at + 1);
  std::from_chars(number.data(), number.data() + number.size(), value);
  if (end == std::string_view::npos || !std::isfinite(value)) return;
  Histogram& one = out[std::string(name.substr(0, end))];
  (sum ? one.sum : one.count) = value;
}

Times recorded(std::string_view text) {
  std::map<std::string, Histogram, std::less<>> histograms;
  each_line(text, [&](std::size_t, std::string_view line) {
    if (line.starts_with(metric)) read_sample(line.substr(metric.size()), histograms);
  });
  Times times;
  for (const auto& [name, one] : histograms) {
    const double mean = one.count > 0 ? one.sum / one.count : 0;
    if (mean > 0 && mean < 1e9)
      times[name] = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(mean));
  }
  return times;
}

}  // namespace

std::expected<Times, Malformed> parse_times(std::string_view text) {
  if (text.starts_with(metric) || text.contains(std::string("\n") + std::string(metric)))
    return recorded(text);
  Times times;
  std::expected<Times, Malformed> result;
  each_line(text, [&](std::size_t number, std::string_view line) {
    if (line.empty() || line.starts_with('#') || !result) return;
    const auto blank = line.find_first_of(" \t:");
    const std::string_view name = line.substr(0, blank);
    std::string_view rest =
        blank == std::string_view::npos ? std::string_view() : trimmed(line.substr(blank));
    if (rest.starts_with(':')) rest = trimmed(rest.substr(1));
    const auto time = parse_duration(rest);
    if (time)
      times.insert_or_assign(std::string(name), *time);
    else
      result =
          std::unexpected(Malformed{"line " + std::to_string(number) + ": " + time.error().message,
                                    "write lines like `db 1.5s`, or give it the page /metrics of a daemon"});
  });
  if (result) result = std::move(times);
  return result;
}

}  // namespace belfry::config
