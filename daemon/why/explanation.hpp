// Why a service, or the stack, is not up: the answer as plain values, for whoever writes it down.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "daemon/state/service_state.hpp"

namespace belfry::daemon {

// One service of the chain, below the one that waits for it.
struct ChainLine {
  std::size_t depth = 0;
  std::string service;
  State state = State::inactive;
  Duration for_long{0};
  std::string text;         // "waits for db ready", "does not start: …"
  bool is_culprit = false;  // the root cause, or one of them
};

// What is known beside the chain: "its last run" and how it went.
struct EvidenceLine {
  std::string label, text;
};

struct NextLine {
  std::string text;  // "db starts again in 3.2 s"
  std::optional<Duration> in{};
};

struct Explanation {
  std::string stack;
  std::string service;  // empty: it is about the stack
  bool ready = false;
  std::string headline;  // names the culprit
  std::string verdict;   // of the stack: the same without "shop is not ready"; empty: nothing is wrong
  std::string culprit;   // empty: there is none
  std::vector<ChainLine> chain;
  std::size_t left_out = 0;  // lines of the chain
  std::vector<EvidenceLine> evidence;
  std::vector<std::string> log;  // the last lines of the culprit
  std::vector<NextLine> next;
  std::vector<std::string> help;
};

}  // namespace belfry::daemon
