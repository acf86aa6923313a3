// One event in the journal: at most 2 µs and 200 bytes, whoever reads. The rows say bytes an event, texts
// included; `told` is the same with a thousand readers, and without what they cost later.
#include <benchmark/benchmark.h>

#include <deque>
#include <string>

#include "daemon/http/api/events.hpp"
#include "daemon/journal/journal.hpp"

namespace belfry::daemon {
namespace {

const Error& a_cause() {
  static const Error root = Error::failed("cannot connect to 127.0.0.1:5432: Connection refused");
  static const Error cause(Error::Kind::failed, "db has failed", root);
  return cause;
}

// As a service comes up: four changes of state, one of them with the line that made it ready.
void write_a_start(Journal& journal, std::uint32_t run) {
  JournalEvent event{.kind = EventKind::state,
                     .from = State::inactive,
                     .to = State::waiting,
                     .incarnation = run,
                     .service = "api-gateway-7"};
  journal.append(event, a_cause());
  event.from = State::waiting;
  event.to = State::starting;
  journal.append(event);
  journal.append({.kind = EventKind::bell,
                  .to = State::starting,
                  .incarnation = run,
                  .service = "api-gateway-7",
                  .subject = "started",
                  .evidence = {.pid = 4711}});
  event.from = State::starting;
  event.to = State::ready;
  event.evidence = {.probe = config::Probe::Kind::log, .words = "2026-11-30 09:20:01 listening on 0.0.0.0:8080"};
  journal.append(event);
}

void report(benchmark::State& state, const Journal& journal) {
  const auto events = static_cast<double>(journal.next() - journal.first());
  state.counters["bytes/event"] = static_cast<double>(journal.bytes_since(journal.first())) / events;
  state.counters["ns/event"] = benchmark::Counter(static_cast<double>(state.iterations()) * 4e-9,
                                                  benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void append(benchmark::State& state) {
  Loop loop;
  Journal journal(loop);
  std::uint32_t run = 0;
  for (auto _ : state) write_a_start(journal, ++run);
  report(state, journal);
}
BENCHMARK(append);

void append_beside_a_thousand_readers(benchmark::State& state) {
  Loop loop;
  Journal journal(loop);
  std::deque<JournalReader> readers;
  for (int i = 0; i < 1000; ++i) readers.emplace_back(journal);
  std::uint32_t run = 0;
  for (auto _ : state) write_a_start(journal, ++run);
  report(state, journal);
}
BENCHMARK(append_beside_a_thousand_readers);

// What each reader costs when it is told: later, and a tenth of the time at most.
void format_an_event(benchmark::State& state) {
  Loop loop;
  Journal journal(loop);
  write_a_start(journal, 1);
  std::string out;
  for (auto _ : state) {
    out.clear();
    http::JsonWriter json(out);
    http::write_event(json, journal.at(4), false);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(format_an_event);

}  // namespace
}  // namespace belfry::daemon
