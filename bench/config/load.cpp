// belfry_bench_config [SERVICES] [ROUNDS]: loads a generated file of so many services with three
// dependencies each, and YAML::LoadFile of the same file as the floor, alternately; prints medians,
// their ratio, the time per service at several sizes, and memory per byte of input.
#include <malloc.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "config/load/load.hpp"

namespace {

using Clock = std::chrono::steady_clock;

std::string generate(int services) {
  std::string text = "name: big\nservices:\n";
  for (int i = 0; i < services; ++i) {
    const std::string n = std::to_string(i);
    text += "  svc" + n + ":\n    command: [/bin/sleep, infinity, \"instance " + n +
            "\"]\n    environment: {NUMBER: \"" + n + "\", HOME_OF_IT: \"${HOME:-/root}/" + n +
            "\"}\n    ready: {http: \"http://127.0.0.1:8080/health\", period: 5s, timeout: 30s}\n";
    if (i >= 6)
      text += "    depends_on: {svc" + std::to_string(i - 1) + ": ready, svc" + std::to_string(i / 2) +
              ": started, svc" + std::to_string(i / 3) + ": {condition: ready, on_loss: restart}}\n";
  }
  return text;
}

template <class Work>
double milliseconds(Work work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Row {
  double floor = 0;
  double ours = 0;
};

Row measure(const std::string& path, int rounds) {
  std::vector<double> floor, ours;
  for (int i = 0; i < rounds; ++i) {
    floor.push_back(milliseconds([&] { (void)YAML::LoadFile(path); }));
    ours.push_back(milliseconds([&] {
      const auto loaded = belfry::config::load(path);
      if (loaded.diagnostics.has_errors()) std::abort();
    }));
  }
  return {median(floor), median(ours)};
}

// Heap that is held while the result lives, and the highest resident size since the start.
void report_memory(const std::string& path, double bytes) {
  malloc_trim(0);
  const auto before = mallinfo2();
  const auto loaded = belfry::config::load(path);
  const auto after = mallinfo2();
  const double held = static_cast<double>(after.uordblks + after.hblkhd) -
                      static_cast<double>(before.uordblks + before.hblkhd);
  std::printf("held by the result (model, diagnostics, text): %.1f bytes per input byte\n", held / bytes);
  (void)loaded;
}

long peak_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6);
  return 0;
}

std::string write_file(const std::string& text) {
  const std::string path = "/tmp/belfry-bench-config-" + std::to_string(::getpid()) + ".yaml";
  std::ofstream(path) << text;
  return path;
}

}  // namespace

int main(int count, char** arguments) {
  const int services = count > 1 ? std::atoi(arguments[1]) : 10'000;
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 5;
  {
    const std::string text = generate(services);
    const std::string path = write_file(text);
    const long base = peak_kilobytes();
    (void)belfry::config::load(path);
    std::printf("%d services, %zu bytes\npeak of one load: %.1f bytes per input byte\n", services,
                text.size(),
                static_cast<double>(peak_kilobytes() - base) * 1024 / static_cast<double>(text.size()));
    report_memory(path, static_cast<double>(text.size()));
    ::unlink(path.c_str());
  }
  std::printf("%10s %14s %14s %8s %16s\n", "services", "LoadFile ms", "belfry ms", "ratio", "us per service");
  for (const int n : {services / 10, services / 4, services / 2, services}) {
    const std::string path = write_file(generate(n));
    const Row row = measure(path, rounds);
    std::printf("%10d %14.1f %14.1f %8.2f %16.2f\n", n, row.floor, row.ours, row.ours / row.floor,
                row.ours * 1000 / n);
    ::unlink(path.c_str());
  }
}
