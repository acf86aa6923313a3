#include "daemon/metrics/daemon_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/metrics/registry_text.hpp"
#include "daemon/metrics/stack_metrics.hpp"
#include "system/process_stats.hpp"

namespace belfry::daemon {
namespace {

#ifndef BELFRY_VERSION
#define BELFRY_VERSION "unknown"
#endif

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;
template <class Metric>
using FamilyOf = prometheus::Family<Metric>;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

FamilyOf<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}
FamilyOf<Gauge>& gauges(Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry);
}
FamilyOf<Histogram>& histograms(Registry& registry, const char* name, const char* help) {
  return BuildHistogram().Name(name).Help(help).Register(registry);
}

// A counter whose number somebody else counts.
void take_over(Counter& counter, double count) { counter.Increment(count - counter.Value()); }

Histogram::BucketBoundaries turn_bounds() {
  Histogram::BucketBoundaries bounds;
  for (const Duration bound : TurnMeter::bounds) bounds.push_back(seconds(bound));
  return bounds;
}

// The names. Base units, `_total` for counters: prometheus.io/docs/practices/naming.
struct HttpFamilies {
  explicit HttpFamilies(Registry& registry)
      : requests(counters(registry, "belfry_http_requests_total", "Requests answered, by status code.")),
        open(gauges(registry, "belfry_http_connections", "Open connections.").Add({})),
        accepted(counters(registry, "belfry_http_connections_total", "Connections accepted.").Add({})),
        refused(counters(registry, "belfry_http_connections_refused_total",
                         "Connections closed at once because no descriptor was left.")
                    .Add({})),
        shed(counters(registry, "belfry_http_connections_shed_total",
                      "Connections given up for others: idle, in the middle of a request, or not read.")
                 .Add({})),
        dropped(counters(registry, "belfry_http_stream_drops_total",
                         "Readers of a stream who were let go because they did not keep up.")
                    .Add({})),
        commands(counters(registry, "belfry_commands_total",
                          "Commands that were begun and have ended, by what became of them.")) {}

  FamilyOf<Counter>& requests;
  Gauge& open;
  Counter& accepted;
  Counter& refused;
  Counter& shed;
  Counter& dropped;
  FamilyOf<Counter>& commands;
  std::vector<std::pair<int, Counter*>> by_status;  // a handful: found by looking at each
};

struct LoopFamilies {
  LoopFamilies(Registry& registry, const TurnMeter& of)
      : meter(of),
        turns(histograms(registry, "belfry_loop_turn_seconds", "How long the event loop's turns took.")
                  .Add({}, turn_bounds())),
        long_turns(
            counters(registry, "belfry_loop_long_turns_total",
                     "Turns of the event loop that took more than 10 ms, by what they were busy with.")),
        longest(gauges(registry, "belfry_loop_longest_turn_seconds", "The longest of these turns.")) {}

  void refresh() {
    const TurnMeter::Times now = meter.times();
    std::vector<double> more;
    more.reserve(now.turns.size());
    for (std::size_t i = 0; i < now.turns.size(); ++i)
      more.push_back(static_cast<double>(now.turns[i] - taken.turns[i]));
    turns.ObserveMultiple(more, seconds(now.sum - taken.sum));
    taken = now;
    for (const TurnMeter::Culprit& one : meter.culprits()) {
      const std::map<std::string, std::string> labels{{"culprit", std::string(one.name)}};
      take_over(long_turns.Add(labels), static_cast<double>(one.turns));
      longest.Add(labels).Set(seconds(one.longest));
    }
  }

  const TurnMeter& meter;
  TurnMeter::Times taken;
  Histogram& turns;
  FamilyOf<Counter>& long_turns;
  FamilyOf<Gauge>& longest;
};

// The names that Prometheus' clients agree on.
struct ProcessFamilies {
  explicit ProcessFamilies(Registry& registry)
      : cpu(counters(registry, "process_cpu_seconds_total", "User and system CPU time spent in seconds.")
                .Add({})),
        resident(gauges(registry, "process_resident_memory_bytes", "Resident memory size in bytes.").Add({})),
        size(gauges(registry, "process_virtual_memory_bytes", "Virtual memory size in bytes.").Add({})),
        open_fds(gauges(registry, "process_open_fds", "Number of open file descriptors.").Add({})),
        max_fds(gauges(registry, "process_max_fds", "Maximum number of open file descriptors.").Add({})),
        start(gauges(registry, "process_start_time_seconds",
                     "Start time of the process since the epoch in seconds.")
                  .Add({})) {}

  void refresh() {
    const system::ProcessStats now = system::read_process_stats();
    take_over(cpu, now.cpu_seconds);
    resident.Set(now.resident_bytes);
    size.Set(now.virtual_bytes);
    open_fds.Set(now.open_fds);
    max_fds.Set(now.max_fds);
    start.Set(now.start_time_seconds);
  }

  Counter& cpu;
  Gauge& resident;
  Gauge& size;
  Gauge& open_fds;
  Gauge& max_fds;
  Gauge& start;
};

struct ClusterFamilies {
  ClusterFamilies(Registry& registry, const ClusterSource& of)
      : source(of),
        connected(
            gauges(registry, "belfry_cluster_connected", "Whether a member of etcd is connected.").Add({})),
        known_for(gauges(registry, "belfry_cluster_known_age_seconds",
                         "How old the last list of what others publish is.")
                      .Add({})),
        lease_age(
            gauges(registry, "belfry_cluster_lease_age_seconds", "Since the lease was renewed.").Add({})),
        published(
            gauges(registry, "belfry_cluster_published", "Services of this host that are in etcd.").Add({})),
        watch_lag(gauges(registry, "belfry_cluster_watch_lag_seconds",
                         "How long the watch took to tell of the last thing that this host has published, or "
                         "has taken so far.")
                      .Add({})),
        lists(counters(registry, "belfry_cluster_lists_total", "Lists of everything that is published.")
                  .Add({})),
        looks(counters(registry, "belfry_cluster_looks_total",
                       "Looks at one service, for somebody who wants to start or after a loss.")
                  .Add({})),
        events(counters(registry, "belfry_cluster_watch_events_total", "Events of the watch that were news.")
                   .Add({})),
        refused(
            counters(registry, "belfry_cluster_refused_total", "Keys and values that are none of belfry's.")
                .Add({})),
        backwards(counters(registry, "belfry_cluster_revision_backwards_total",
                           "How often the revision of etcd went backwards.")
                      .Add({})),
        missed(counters(registry, "belfry_cluster_watch_missed_total",
                        "Publications that a list has brought and the watch had not told of.")
                   .Add({})),
        leases_lost(counters(registry, "belfry_cluster_leases_lost_total", "Leases that were lost.").Add({})),
        txns(counters(registry, "belfry_cluster_transactions_total", "Transactions that were asked for.")
                 .Add({})),
        errors(counters(registry, "belfry_cluster_etcd_errors_total", "Questions that etcd has not answered.")
                   .Add({})) {}

  void refresh() {
    const ClusterView view = source.cluster_summary();
    connected.Set(view.member.empty() ? 0 : 1);
    known_for.Set(seconds(view.known_for));
    lease_age.Set(seconds(view.lease_age));
    watch_lag.Set(seconds(view.watch_lag));
    published.Set(static_cast<double>(view.published));
    const ClusterCounts& counts = view.counts;
    take_over(lists, static_cast<double>(counts.lists));
    take_over(looks, static_cast<double>(counts.looks));
    take_over(events, static_cast<double>(counts.events));
    take_over(refused, static_cast<double>(counts.refused));
    take_over(backwards, static_cast<double>(counts.backwards));
    take_over(missed, static_cast<double>(counts.missed));
    take_over(leases_lost, static_cast<double>(counts.leases_lost));
    take_over(txns, static_cast<double>(counts.txns));
    take_over(errors, static_cast<double>(counts.errors));
  }

  const ClusterSource& source;
  Gauge &connected, &known_for, &lease_age, &published, &watch_lag;
  Counter &lists, &looks, &events, &refused, &backwards, &missed, &leases_lost, &txns, &errors;
};

}  // namespace

struct DaemonMetrics::State {
  State(const StackView& stack_, const std::uint64_t* unattributed_, const TurnMeter* turns)
      : stack(stack_), unattributed(unattributed_) {
    gauges(registry, "belfry_build_info", "What this daemon is; always 1.")
        .Add({{"version", BELFRY_VERSION}})
        .Set(1);
    if (unattributed != nullptr)
      of_nobody = &counters(registry, "belfry_notify_unattributed_total",
                            "Notify messages on the shared socket that came from no process of any service.")
                       .Add({});
    if (turns != nullptr) loop.emplace(registry, *turns);
  }

  void refresh() {
    if (of_nobody != nullptr) take_over(*of_nobody, static_cast<double>(*unattributed));
    if (loop) loop->refresh();
    if (cluster) cluster->refresh();
    process.refresh();
  }

  StackMetrics stack;
  const std::uint64_t* unattributed;
  Registry registry;
  Counter* of_nobody = nullptr;
  std::optional<LoopFamilies> loop;
  std::optional<ClusterFamilies> cluster;
  Counter& history_failures = counters(registry, "belfry_history_write_failures_total",
                                       "Lines of the history of starts that could not be written.")
                                  .Add({});
  FamilyOf<Counter>& unwritten =
      counters(registry, "belfry_log_lines_unwritten_total",
               "Lines of services that could not be written (a full disk, a log daemon that is away).");
  HttpFamilies http{registry};
  ProcessFamilies process{registry};
};

DaemonMetrics::DaemonMetrics(const StackView& stack, const std::uint64_t* unattributed,
                             const TurnMeter* turns)
    : state_(std::make_unique<State>(stack, unattributed, turns)) {}

DaemonMetrics::~DaemonMetrics() = default;

void DaemonMetrics::set_cluster(const ClusterSource& cluster) {
  state_->cluster.emplace(state_->registry, cluster);
}

void DaemonMetrics::write(std::string& out, Exposition exposition) {
  state_->refresh();
  state_->stack.write(out, exposition);
  write_families(out, exposition, state_->registry.Collect());
  if (exposition == Exposition::open_metrics) out += "# EOF\n";
}

void DaemonMetrics::history_lost() { state_->history_failures.Increment(); }

void DaemonMetrics::lines_unwritten(std::string_view output, std::uint64_t lines) {
  state_->unwritten.Add({{"output", std::string(output)}}).Increment(static_cast<double>(lines));
}

void DaemonMetrics::request_answered(int status) {
  HttpFamilies& http = state_->http;
  auto known = std::ranges::find(http.by_status, status, &std::pair<int, Counter*>::first);
  if (known == http.by_status.end()) {
    Counter& added = http.requests.Add({{"code", std::to_string(status)}});
    known = http.by_status.insert(known, {status, &added});
  }
  known->second->Increment();
}

void DaemonMetrics::command_ended(ServiceCommand command, CommandOutcome outcome) {
  state_->http.commands
      .Add({{"command", std::string(name_of(command))}, {"outcome", std::string(name_of(outcome))}})
      .Increment();
}

void DaemonMetrics::connection_accepted() {
  state_->http.accepted.Increment();
  state_->http.open.Increment();
}
void DaemonMetrics::connection_closed() { state_->http.open.Decrement(); }
void DaemonMetrics::connection_refused() { state_->http.refused.Increment(); }
void DaemonMetrics::connection_shed() { state_->http.shed.Increment(); }
void DaemonMetrics::stream_dropped() { state_->http.dropped.Increment(); }

}  // namespace belfry::daemon
