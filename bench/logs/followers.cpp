// belfry_bench_log_followers [ROUNDS]: what a line of a service costs that others follow, alone and beside a
// thousand readers of it, of another service and of everything; and what a line costs as JSON. Medians in
// nanoseconds. What the readers cost later is paced (daemon/http/wire/stream_pace.hpp).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "daemon/logs/log_reader.hpp"

namespace {

using namespace belfry;
using namespace belfry::daemon;

constexpr int lines_in_a_round = 1000;
constexpr std::string_view a_line = "2026-11-30 09:20:01 GET /v1/orders/4711 200 12 ms\n";

double median_of(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

// Of a line, with the telling that it leads to once in a turn of the loop.
double write_beside(int readers, const std::vector<std::size_t>& pages, int rounds) {
  Loop loop;
  LogBook book(loop, std::vector<std::string_view>(100, "service"));
  std::deque<LogReader> all;
  for (int i = 0; i < readers; ++i) all.emplace_back(book, pages);
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < lines_in_a_round; ++i) {
      book.page(0).add({.bytes = a_line}, {});
      loop.run_until_idle();
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    times.push_back(took.count() / lines_in_a_round);
  }
  return median_of(times);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 50;
  std::vector<std::size_t> everything;
  for (std::size_t page = 0; page < 100; ++page) everything.push_back(page);
  const double alone = write_beside(0, {}, rounds);
  std::printf("%-52s %8.0f ns\n", "a line and a turn of the loop, alone", alone);
  std::printf("%-52s %8.0f ns\n", "beside 1000 readers of another service", write_beside(1000, {1}, rounds));
  std::printf("%-52s %8.0f ns\n", "beside 1000 readers of this service", write_beside(1000, {0}, rounds));
  std::printf("%-52s %8.0f ns\n", "beside 1000 readers of all 100 services",
              write_beside(1000, everything, rounds));
  return 0;
}
