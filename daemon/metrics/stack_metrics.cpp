#include "daemon/metrics/stack_metrics.hpp"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <span>
#include <utility>

#include "daemon/metrics/family_sink.hpp"
#include "daemon/metrics/text_sink.hpp"

namespace belfry::daemon {
namespace {

// The names. Base units, `_total` for counters: prometheus.io/docs/practices/naming.
constexpr Family stack_ready{"belfry_stack_ready", Family::Type::gauge,
                             "1 when every wanted service is ready."};
constexpr Family shutting_down{"belfry_stack_shutting_down", Family::Type::gauge,
                               "1 from the first signal to the end."};
constexpr Family service_state{"belfry_service_state", Family::Type::gauge,
                               "1 for the state that the service is in."};
constexpr Family service_ready{"belfry_service_ready", Family::Type::gauge,
                               "1 when the service's default level holds."};
constexpr Family bell_rung{"belfry_service_bell_rung", Family::Type::gauge,
                           "1 when the service's own bell has rung in its current run."};
constexpr Family restarts{"belfry_service_restarts_total", Family::Type::counter,
                          "Restarts since the daemon started."};
constexpr Family ready_seconds{"belfry_service_ready_seconds", Family::Type::histogram,
                               "From the start of a service to its ready bell."};
constexpr Family stop_seconds{"belfry_service_stop_seconds", Family::Type::histogram,
                              "From asking a service to stop to its stopped bell."};
constexpr Family probe_attempts{"belfry_probe_attempts_total", Family::Type::counter,
                                "Attempts of a service's probes."};
constexpr Family probe_duration{"belfry_probe_duration_seconds", Family::Type::histogram,
                                "How long an attempt of a service's probes took."};
constexpr Family dependency_wait{
    "belfry_dependency_wait_seconds", Family::Type::gauge,
    "How long the service has waited for this dependency in the start that was asked for last."};
constexpr Family critical_path{"belfry_startup_critical_path_seconds", Family::Type::gauge,
                               "From the begin of the first start to the moment when everything was ready."};
constexpr Family certificate_expiry{"belfry_probe_certificate_expiry_timestamp_seconds", Family::Type::gauge,
                                    "When the first certificate ends that the server of a probe has shown."};
constexpr Family cpu_seconds{
    "belfry_service_cpu_seconds_total", Family::Type::counter,
    "User and system time of the service's runs that are over, as far as its processes were reaped."};
constexpr Family oom_kills{"belfry_service_oom_kills_total", Family::Type::counter,
                           "Processes that the kernel killed in the service's cgroup for lack of memory."};
constexpr Family log_drops{"belfry_service_log_lines_dropped_total", Family::Type::counter,
                           "Lines of output that were dropped because their reader was too slow."};
constexpr Family notify_refused{
    "belfry_service_notify_refused_total", Family::Type::counter,
    "Notify messages that came from no process of the service or were malformed."};
constexpr Family stored_descriptors{"belfry_service_stored_descriptors", Family::Type::gauge,
                                    "Descriptors held for the service's next run (FDSTORE=1)."};
constexpr Family missed_runs{
    "belfry_service_missed_runs_total", Family::Type::counter,
    "Runs of a schedule that were due while nobody could start them; one makes up for those of one time."};
constexpr Family skipped_runs{"belfry_service_skipped_runs_total", Family::Type::counter,
                              "Runs of a schedule that were due while the one before had not ended."};

constexpr State states[] = {State::inactive, State::waiting, State::starting,  State::ready,  State::unready,
                            State::stopping, State::backoff, State::completed, State::failed, State::blocked};

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
  std::vector<CertificateView> certificates;
  TimelineView start;
  std::optional<ScheduleView> schedule;
};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::vector<Sample> samples_of(const StackView& stack) {
  std::vector<Sample> samples;
  samples.reserve(stack.service_count());
  for (const std::size_t index : stack.shown()) {
    const ServiceView view = stack.service(index);
    samples.push_back({view.name, view.state, view.ready, view.bells, view.readiness_kind, view.counters,
                       view.notify.descriptors_stored, stack.times(index), view.certificates,
                       stack.timeline(index), view.schedule});
  }
  return samples;
}

std::vector<std::string_view> names_of(const std::vector<Sample>& samples) {
  std::vector<std::string_view> names;
  names.reserve(samples.size());
  for (const Sample& sample : samples) names.push_back(sample.name);
  return names;
}

template <class Integer>
double number(Integer value) {
  return static_cast<double>(value);
}

// Walks over all families in their order. A Sink is told of a family, then of its values.
template <class Sink>
void walk_stack(const StackView& stack, Sink& sink) {
  sink.family(stack_ready);
  sink.value({}, {}, number(stack.stack_ready()));
  sink.family(shutting_down);
  sink.value({}, {}, number(stack.shutting_down()));
  sink.family(critical_path);
  if (const StartView start = stack.start(); start.begun && start.up)
    sink.value({}, {}, seconds(*start.up - *start.begun));
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

std::span<const ProbeAttempts> tried_of(const Sample& sample) {
  return sample.times == nullptr ? std::span<const ProbeAttempts>() : sample.times->probes;
}

template <class Sink>
void walk_probes(const std::vector<Sample>& samples, Sink& sink) {
  sink.family(probe_attempts);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    const Sample& sample = samples[index];
    const auto write = [&](const ProbeAttempts& one) {
      sink.value(index, {{"probe", one.kind}, {"result", "success"}}, number(one.successes));
      sink.value(index, {{"probe", one.kind}, {"result", "failure"}}, number(one.failures));
    };
    const std::span<const ProbeAttempts> tried = tried_of(sample);
    std::ranges::for_each(tried, write);
    // A counter that is there from the start: its first step can be seen.
    if (!sample.probe.empty() && std::ranges::find(tried, sample.probe, &ProbeAttempts::kind) == tried.end())
      write({.kind = sample.probe});
  }
  sink.family(probe_duration);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    for (const ProbeAttempts& one : tried_of(samples[index]))
      sink.histogram(index, {{"probe", one.kind}}, one.took.view());
  }
}

// Two edges to one dependency are one wait: the longer one.
template <class Sink>
void walk_waits(const std::vector<Sample>& samples, TimePoint now, Sink& sink) {
  sink.family(dependency_wait);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    const TimelineView& start = samples[index].start;
    if (!start.waiting) continue;
    const TimePoint end = start.starting.value_or(now);
    std::vector<std::pair<std::string_view, Duration>> waits;
    for (const EdgeTimeView& edge : start.edges) {
      const Duration wait = std::max(edge.holds_since.value_or(end) - *start.waiting, Duration::zero());
      const auto known = std::ranges::find(waits, edge.on, &std::pair<std::string_view, Duration>::first);
      known == waits.end() ? void(waits.emplace_back(edge.on, wait))
                           : void(known->second = std::max(known->second, wait));
    }
    for (const auto& [dependency, wait] : waits)
      sink.value(index, {{"dependency", dependency}}, seconds(wait));
  }
}

template <class Sink>
void walk_certificates(const std::vector<Sample>& samples, Sink& sink) {
  sink.family(certificate_expiry);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    for (const CertificateView& one : samples[index].certificates) {
      const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(one.expiry.time_since_epoch());
      sink.value(index, {{"probe", one.probe}}, number(expiry.count()));
    }
  }
}

template <class Sink>
void walk_schedules(const std::vector<Sample>& samples, Sink& sink) {
  const auto each = [&](const Family& family, std::uint64_t ScheduleView::* runs) {
    sink.family(family);
    for (std::size_t index = 0; index < samples.size(); ++index) {
      if (samples[index].schedule) sink.value(index, {}, number((*samples[index].schedule).*runs));
    }
  };
  each(missed_runs, &ScheduleView::missed);
  each(skipped_runs, &ScheduleView::skipped);
}

template <class Sink>
void walk_services(const std::vector<Sample>& samples, TimePoint now, Sink& sink) {
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
  walk_certificates(samples, sink);
  walk_waits(samples, now, sink);
  sink.family(ready_seconds);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    if (samples[index].times != nullptr) sink.histogram(index, {}, samples[index].times->ready.view());
  }
  sink.family(stop_seconds);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    if (samples[index].times != nullptr) sink.histogram(index, {}, samples[index].times->stop.view());
  }
  each_service(cpu_seconds, samples, sink, [](const Sample& s) { return s.counters.cpu_seconds; });
  each_service(oom_kills, samples, sink, [](const Sample& s) { return number(s.counters.oom_kills); });
  each_service(log_drops, samples, sink,
               [](const Sample& s) { return number(s.counters.log_lines_dropped); });
  each_service(notify_refused, samples, sink,
               [](const Sample& s) { return number(s.counters.notify_refused); });
  sink.family(stored_descriptors);
  for (std::size_t index = 0; index < samples.size(); ++index) {
    if (samples[index].stored_descriptors > 0)
      sink.value(index, {}, number(samples[index].stored_descriptors));
  }
  walk_schedules(samples, sink);
}

}  // namespace

void StackMetrics::write(std::string& out, Exposition exposition) {
  out.reserve(out.size() + last_size_ + last_size_ / 16);
  const std::size_t before = out.size();
  const auto samples = samples_of(stack_);
  const auto names = names_of(samples);
  {
    TextSink sink(out, exposition, names);
    walk_stack(stack_, sink);
    walk_services(samples, stack_.now(), sink);
  }
  last_size_ = out.size() - before;
}

std::vector<prometheus::MetricFamily> StackMetrics::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  const auto samples = samples_of(stack_);
  const auto names = names_of(samples);
  FamilySink sink(families, names);
  walk_stack(stack_, sink);
  walk_services(samples, stack_.now(), sink);
  return families;
}

}  // namespace belfry::daemon
