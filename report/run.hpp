// One run of a stack as plain values: what a page and a trace are made of, whoever has written it down.
//
// Moments are counted from when the run began. Every text is somebody else's and may hold anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/course.hpp"

namespace belfry::report {

struct Edge {
  std::string on, condition;
  bool required = true;
};

// The moments are those of its last attempt in the start; what was not reached is empty.
struct Service {
  std::string name, type, state;
  bool ready = false, wanted = false;
  std::int64_t restarts = 0, incarnation = 0;
  std::optional<Duration> wanted_at{}, starting{}, started{}, ready_at{}, stopped{};
  std::vector<Edge> edges{};
  std::string method{}, error{};
  std::vector<std::pair<std::string, std::string>> outputs{};  // a secret one is "***"
};

struct Event {
  Duration at{0};
  std::string time;                 // RFC 3339
  std::string kind;                 // "state", "bell", "notice", "stack"
  std::string service{};            // empty: the stack
  std::string what{};               // the new state, the bell's name, what happened to the stack
  std::string evidence{}, cause{};  // "notify from pid 8"; why
  std::int64_t incarnation = 0;
};

struct Line {
  std::string time, service, stream, text;
};

struct Why {
  std::string service, text;  // as `belfry why` prints it
};

// A start or a stop as a picture.
struct Picture {
  analyze::Course course;
  std::string title, end;
  std::vector<std::string> remarks;
};

enum class Outcome : std::uint8_t { good, bad, open };

struct Run {
  std::string stack{}, version{};
  Outcome outcome = Outcome::open;
  std::string verdict{}, headline{};                         // "exit 1", "pytest exited with code 1"
  std::vector<std::pair<std::string, std::string>> facts{};  // "begun", "2026-…"
  std::vector<std::string> remarks{};                        // what is missing, and why
  std::uint64_t id = 0;                                      // of this run among all
  std::int64_t begun_ns = 0;                                 // since the epoch
  std::optional<Duration> up{};
  Duration until{0};  // when it was written down
  std::vector<Service> services{};
  std::vector<Event> events{};
  std::uint64_t events_missed = 0;
  std::vector<Line> lines{};
  std::vector<Why> whys{};
  std::optional<Picture> start{}, stop{};
  std::string parent_trace{}, parent_span{};  // what the trace is a part of; empty: nothing
};

}  // namespace belfry::report
