// belfry_bench_journal [ROUNDS]: writes events into the journal, alone and with a thousand readers, and
// renders one; prints medians in nanoseconds, and the bytes that an event takes. At most 2 µs and 200 bytes
// are allowed, whoever reads; what the readers cost later is paced (daemon/http/wire/stream_pace.hpp).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "daemon/http/api/events.hpp"
#include "daemon/journal/journal.hpp"

namespace {

using namespace belfry;
using namespace belfry::daemon;

constexpr int starts_in_a_round = 250;
constexpr int events_in_a_start = 4;

const Error& a_cause() {
  static const Error root = Error::failed("cannot connect to 127.0.0.1:5432: Connection refused");
  static const Error cause(Error::Kind::failed, "db has failed", root);
  return cause;
}

// As a service comes up: one event has a cause, one the line that made it ready.
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
  JournalEvent started = event;
  started.kind = EventKind::bell;
  started.subject = "started";
  started.evidence.pid = 4711;
  journal.append(started);
  event.from = State::starting;
  event.to = State::ready;
  event.evidence.probe = config::Probe::Kind::log;
  event.evidence.words = "2026-11-30 09:20:01 listening on 0.0.0.0:8080";
  journal.append(event);
}

template <class Work>
double median_ns(int rounds, int per_round, const Work& work) {
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    const auto began = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    times.push_back(took.count() / per_round);
  }
  std::ranges::nth_element(times, times.begin() + rounds / 2);
  return times[static_cast<std::size_t>(rounds / 2)];
}

double write_beside(int readers, int rounds, double& bytes) {
  Loop loop;
  Journal journal(loop);
  std::deque<JournalReader> all;
  for (int i = 0; i < readers; ++i) all.emplace_back(journal);
  std::uint32_t run = 0;
  const double ns = median_ns(rounds, starts_in_a_round * events_in_a_start, [&] {
    for (int i = 0; i < starts_in_a_round; ++i) write_a_start(journal, ++run);
  });
  bytes = static_cast<double>(journal.bytes_since(journal.first())) /
          static_cast<double>(journal.next() - journal.first());
  return ns;
}

double render(int rounds, std::size_t& size) {
  Loop loop;
  Journal journal(loop);
  write_a_start(journal, 1);
  constexpr int repeats = 200;
  std::string out;
  const double ns = median_ns(rounds, repeats, [&] {
    for (int i = 0; i < repeats; ++i) {
      out.clear();
      http::JsonWriter json(out);
      http::write_event(json, journal.at(4), false);
    }
  });
  size = out.size();
  return ns;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 200;
  double bytes = 0, same_bytes = 0;
  std::size_t rendered = 0;
  const double alone = write_beside(0, rounds, bytes);
  const double beside = write_beside(1000, rounds, same_bytes);
  const double json = render(rounds, rendered);
  std::printf("%-34s %8.0f ns  %6.1f bytes\n", "an event, alone", alone, bytes);
  std::printf("%-34s %8.0f ns  %6.2f times\n", "an event, beside 1000 readers", beside, beside / alone);
  std::printf("%-34s %8.0f ns  %6zu bytes\n", "an event as JSON", json, rendered);
  return alone <= 2000 && beside <= 2000 && bytes <= 200 ? 0 : 1;
}
