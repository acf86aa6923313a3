#include "daemon/metrics/metrics.hpp"

#include <prometheus/metric_family.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "system/process_stats.hpp"

namespace belfry::daemon {
namespace {

#ifndef BELFRY_VERSION
#define BELFRY_VERSION "unknown"
#endif

enum class Type : std::uint8_t { gauge, counter, histogram };

struct Family {
  std::string_view name;
  Type type;
  std::string_view help;
};

// The names. Base units, `_total` for counters: prometheus.io/docs/practices/naming.
constexpr Family build_info{"belfry_build_info", Type::gauge, "What this daemon is; always 1."};
constexpr Family stack_ready{"belfry_stack_ready", Type::gauge, "1 when every wanted service is ready."};
constexpr Family shutting_down{"belfry_stack_shutting_down", Type::gauge,
                               "1 from the first signal to the end."};
constexpr Family service_state{"belfry_service_state", Type::gauge,
                               "1 for the state that the service is in."};
constexpr Family service_ready{"belfry_service_ready", Type::gauge,
                               "1 when the service's default level holds."};
constexpr Family bell_rung{"belfry_service_bell_rung", Type::gauge,
                           "1 when the service's own bell has rung in its current run."};
constexpr Family restarts{"belfry_service_restarts_total", Type::counter,
                          "Restarts since the daemon started."};
constexpr Family ready_seconds{"belfry_service_ready_seconds", Type::histogram,
                               "From the start of a service to its ready bell."};
constexpr Family stop_seconds{"belfry_service_stop_seconds", Type::histogram,
                              "From asking a service to stop to its stopped bell."};
constexpr Family probe_attempts{"belfry_probe_attempts_total", Type::counter,
                                "Attempts of a service's probes."};
constexpr Family log_drops{"belfry_service_log_lines_dropped_total", Type::counter,
                           "Lines of output that were dropped because their reader was too slow."};
constexpr Family notify_refused{
    "belfry_service_notify_refused_total", Type::counter,
    "Notify messages that came from no process of the service or were malformed."};
constexpr Family notify_unattributed{
    "belfry_notify_unattributed_total", Type::counter,
    "Notify messages on the shared socket that came from no process of any service."};
constexpr Family stored_descriptors{"belfry_service_stored_descriptors", Type::gauge,
                                    "Descriptors held for the service's next run (FDSTORE=1)."};
constexpr Family long_turns{
    "belfry_loop_long_turns_total", Type::counter,
    "Turns of the event loop that took more than 10 ms, by what they were busy with."};
constexpr Family longest_turn{"belfry_loop_longest_turn_seconds", Type::gauge, "The longest of these turns."};
constexpr Family http_requests{"belfry_http_requests_total", Type::counter,
                               "Requests answered, by status code."};
constexpr Family http_open{"belfry_http_connections", Type::gauge, "Open connections."};
constexpr Family http_accepted{"belfry_http_connections_total", Type::counter, "Connections accepted."};
constexpr Family http_shed{"belfry_http_connections_shed_total", Type::counter,
                           "Connections given up for others: idle, in the middle of a request, or not read."};
constexpr Family http_refused{"belfry_http_connections_refused_total", Type::counter,
                              "Connections closed at once because no descriptor was left."};
constexpr Family process_cpu{"process_cpu_seconds_total", Type::counter,
                             "User and system CPU time spent in seconds."};
constexpr Family process_resident{"process_resident_memory_bytes", Type::gauge,
                                  "Resident memory size in bytes."};
constexpr Family process_virtual{"process_virtual_memory_bytes", Type::gauge,
                                 "Virtual memory size in bytes."};
constexpr Family process_open_fds{"process_open_fds", Type::gauge, "Number of open file descriptors."};
constexpr Family process_max_fds{"process_max_fds", Type::gauge, "Maximum number of open file descriptors."};
constexpr Family process_start{"process_start_time_seconds", Type::gauge,
                               "Start time of the process since the epoch in seconds."};

constexpr State states[] = {State::inactive, State::waiting, State::starting,  State::ready,  State::unready,
                            State::stopping, State::backoff, State::completed, State::failed, State::blocked};

struct Label {
  std::string_view name, value;
};

// What a scrape needs of a service; the texts of its view are dropped at once.
struct Sample {
  std::string_view name;
  State state;
  bool ready;
  std::vector<BellView> bells;
  std::string_view probe;  // the kind: "port"
  ServiceCounters counters;
  std::uint32_t stored_descriptors;
  const ServiceTimes* times;
};

std::vector<Sample> samples_of(const StackView& stack) {
  std::vector<Sample> samples;
  samples.reserve(stack.service_count());
  for (std::size_t index = 0; index < stack.service_count(); ++index) {
    const ServiceView view = stack.service(index);
    samples.push_back({view.name, view.state, view.ready, view.bells, view.readiness_kind, view.counters,
                       view.notify.descriptors_stored, stack.times(index)});
  }
  return samples;
}

template <class Integer>
double number(Integer value) {
  return static_cast<double>(value);
}

// Walks over all families in their order. A Sink is told of a family, then of its values.
template <class Sink>
void walk_stack(const StackView& stack, Sink& sink) {
  sink.family(build_info);
  sink.value({}, {{"version", BELFRY_VERSION}}, 1);
  sink.family(stack_ready);
  sink.value({}, {}, number(stack.stack_ready()));
  sink.family(shutting_down);
  sink.value({}, {}, number(stack.shutting_down()));
}

template <class Sink, class Value>
void each_service(const Family& family, const std::vector<Sample>& samples, Sink& sink, Value value) {
  sink.family(family);
  for (std::size_t index = 0; index < samples.size(); ++index) sink.value(index, {}, value(samples[index]));
}

template <class Sink>
void walk_restarts(const std::vector<Sample>& samples, Sink& sink) {
  sink.family(restarts);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    const ServiceCounters& counters = samples[index].counters;
    sink.value(index, {{"reason", "failure"}}, number(counters.restarts_on_failure));
    sink.value(index, {{"reason", "command"}}, number(counters.restarts_on_command));
    sink.value(index, {{"reason", "loss"}}, number(counters.restarts_on_loss));
    sink.value(index, {{"reason", "liveness"}}, number(counters.restarts_on_liveness));
    sink.value(index, {{"reason", "watchdog"}}, number(counters.restarts_on_watchdog));
  }
}

template <class Sink>
void walk_probes(const std::vector<Sample>& samples, Sink& sink) {
  sink.family(probe_attempts);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    const Sample& sample = samples[index];
    if (sample.probe.empty()) continue;
    sink.value(index, {{"probe", sample.probe}, {"result", "success"}},
               number(sample.counters.probe_successes));
    sink.value(index, {{"probe", sample.probe}, {"result", "failure"}},
               number(sample.counters.probe_failures));
  }
}

template <class Sink>
void walk_services(const std::vector<Sample>& samples, Sink& sink) {
  sink.family(service_state);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    for (const State state : states)
      sink.value(index, {{"state", name_of(state)}}, number(samples[index].state == state));
  }
  each_service(service_ready, samples, sink, [](const Sample& s) { return number(s.ready); });
  sink.family(bell_rung);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    for (const BellView& bell : samples[index].bells)
      sink.value(index, {{"bell", bell.name}}, number(bell.rung));
  }
  walk_restarts(samples, sink);
  walk_probes(samples, sink);
  sink.family(ready_seconds);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    if (samples[index].times != nullptr) sink.histogram(index, samples[index].times->ready);
  }
  sink.family(stop_seconds);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    if (samples[index].times != nullptr) sink.histogram(index, samples[index].times->stop);
  }
  each_service(log_drops, samples, sink,
               [](const Sample& s) { return number(s.counters.log_lines_dropped); });
  each_service(notify_refused, samples, sink,
               [](const Sample& s) { return number(s.counters.notify_refused); });
  sink.family(stored_descriptors);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    if (samples[index].stored_descriptors > 0)
      sink.value(index, {}, number(samples[index].stored_descriptors));
  }
}

template <class Sink>
void walk_unattributed(const std::uint64_t* count, Sink& sink) {
  if (count == nullptr) return;
  sink.family(notify_unattributed);
  sink.value({}, {}, number(*count));
}

template <class Sink>
void walk_loop(const TurnMeter* meter, Sink& sink) {
  if (meter == nullptr) return;
  sink.family(long_turns);
  for (const TurnMeter::Culprit& one : meter->culprits())
    sink.value({}, {{"culprit", one.name}}, number(one.turns));
  sink.family(longest_turn);
  for (const TurnMeter::Culprit& one : meter->culprits())
    sink.value({}, {{"culprit", one.name}}, std::chrono::duration<double>(one.longest).count());
}

template <class Sink>
void walk_process(const system::ProcessStats& stats, Sink& sink) {
  const std::pair<const Family*, double> values[] = {
      {&process_cpu, stats.cpu_seconds},       {&process_resident, stats.resident_bytes},
      {&process_virtual, stats.virtual_bytes}, {&process_open_fds, stats.open_fds},
      {&process_max_fds, stats.max_fds},       {&process_start, stats.start_time_seconds}};
  for (const auto& [family, value] : values) {
    sink.family(*family);
    sink.value({}, {}, value);
  }
}

template <class Sink>
void walk_http(const HttpStats& http, Sink& sink) {
  sink.family(http_requests);
  for (const auto& [status, count] : http.requests_by_status) {
    sink.value({}, {{"code", std::to_string(status)}}, number(count));
  }
  const std::pair<const Family*, std::uint64_t> values[] = {{&http_open, http.connections_open},
                                                            {&http_accepted, http.connections_accepted},
                                                            {&http_refused, http.connections_refused},
                                                            {&http_shed, http.connections_shed}};
  for (const auto& [family, value] : values) {
    sink.family(*family);
    sink.value({}, {}, number(value));
  }
}

using Labels = std::initializer_list<Label>;

// Writes the text format. The label block of a service is escaped once a scrape, not once a series.
class TextSink {
 public:
  TextSink(std::string& out, const std::vector<Sample>& samples) : out_(out) {
    service_labels_.reserve(samples.size());
    for (const Sample& sample : samples) {
      std::string& labels = service_labels_.emplace_back("service=\"");
      append_label_value(labels, sample.name);
      labels += '"';
    }
  }

  void family(const Family& family) {
    constexpr std::string_view type_names[] = {"gauge", "counter", "histogram"};
    current_ = family.name;
    ((((out_ += "# HELP ") += family.name) += ' ') += family.help) += "\n# TYPE ";
    ((out_ += family.name) += ' ') += type_names[static_cast<std::size_t>(family.type)];
    out_ += '\n';
  }
  void value(std::optional<std::size_t> service, Labels labels, double value) {
    begin_series({}, service, labels);
    end_series(value);
  }
  void histogram(std::size_t service, const DurationHistogram& histogram) {
    for (std::size_t i = 0; i < std::size(DurationHistogram::bounds); ++i) {
      begin_series("_bucket", service, {{"le", bound_texts()[i]}});
      end_series(number(histogram.buckets[i]));
    }
    begin_series("_bucket", service, {{"le", "+Inf"}});
    end_series(number(histogram.count));
    begin_series("_sum", service, {});
    end_series(histogram.sum);
    begin_series("_count", service, {});
    end_series(number(histogram.count));
  }

 private:
  static const std::vector<std::string>& bound_texts() {
    static const std::vector<std::string> texts = [] {
      std::vector<std::string> made;
      for (const double bound : DurationHistogram::bounds) append_double(made.emplace_back(), bound);
      return made;
    }();
    return texts;
  }

  static void append_double(std::string& out, double value) {
    char digits[32];
    // Counters and flags are whole numbers, and whole numbers are four times as fast to write.
    const bool whole = value >= 0 && value < 1e15 && value == std::floor(value);
    const auto end =
        whole ? std::to_chars(std::begin(digits), std::end(digits), static_cast<std::uint64_t>(value))
              : std::to_chars(std::begin(digits), std::end(digits), value);
    out.append(digits, end.ptr);
  }

  void begin_series(std::string_view suffix, std::optional<std::size_t> service, Labels labels) {
    (out_ += current_) += suffix;
    char opening = '{';
    if (service) {
      (out_ += opening) += service_labels_[*service];
      opening = ',';
    }
    for (const Label& label : labels) {
      ((out_ += opening) += label.name) += "=\"";
      append_label_value(out_, label.value);
      out_ += '"';
      opening = ',';
    }
    if (opening == ',') out_ += '}';
    out_ += ' ';
  }
  void end_series(double value) {
    append_double(out_, value);
    out_ += '\n';
  }

  std::string& out_;
  std::string_view current_;
  std::vector<std::string> service_labels_;
};

// Builds prometheus-cpp's families.
class FamilySink {
 public:
  FamilySink(std::vector<prometheus::MetricFamily>& out, const std::vector<Sample>& samples)
      : out_(out), samples_(samples) {}

  void family(const Family& family) {
    constexpr prometheus::MetricType types[] = {
        prometheus::MetricType::Gauge, prometheus::MetricType::Counter, prometheus::MetricType::Histogram};
    auto& made = out_.emplace_back();
    made.name = family.name;
    made.help = family.help;
    made.type = types[static_cast<std::size_t>(family.type)];
  }
  void value(std::optional<std::size_t> service, Labels labels, double value) {
    auto& metric = add(service, labels);
    metric.gauge.value = value;
    metric.counter.value = value;
  }
  void histogram(std::size_t service, const DurationHistogram& histogram) {
    auto& made = add(service, {}).histogram;
    made.sample_count = histogram.count;
    made.sample_sum = histogram.sum;
    for (std::size_t i = 0; i < std::size(DurationHistogram::bounds); ++i) {
      made.bucket.push_back({histogram.buckets[i], DurationHistogram::bounds[i]});
    }
    made.bucket.push_back({histogram.count, std::numeric_limits<double>::infinity()});
  }

 private:
  prometheus::ClientMetric& add(std::optional<std::size_t> service, Labels labels) {
    auto& metric = out_.back().metric.emplace_back();
    if (service) metric.label.push_back({"service", std::string(samples_[*service].name)});
    for (const Label& label : labels)
      metric.label.push_back({std::string(label.name), std::string(label.value)});
    return metric;
  }

  std::vector<prometheus::MetricFamily>& out_;
  const std::vector<Sample>& samples_;
};

}  // namespace

void append_label_value(std::string& out, std::string_view value) {
  if (value.find_first_of("\\\"\n") == std::string_view::npos) {
    out += value;
    return;
  }
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || c == '"') out += '\\';
      out += c;
    }
  }
}

void Metrics::write(std::string& out, const HttpStats& http) {
  out.reserve(out.size() + last_size_ + last_size_ / 16);
  const std::size_t before = out.size();
  const auto samples = samples_of(stack_);
  TextSink sink(out, samples);
  walk_stack(stack_, sink);
  walk_services(samples, sink);
  walk_unattributed(unattributed_, sink);
  walk_loop(meter_, sink);
  walk_http(http, sink);
  walk_process(system::read_process_stats(), sink);
  last_size_ = out.size() - before;
}

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  const auto samples = samples_of(stack_);
  FamilySink sink(families, samples);
  walk_stack(stack_, sink);
  walk_services(samples, sink);
  walk_unattributed(unattributed_, sink);
  walk_loop(meter_, sink);
  walk_process(system::read_process_stats(), sink);
  return families;
}

}  // namespace belfry::daemon
