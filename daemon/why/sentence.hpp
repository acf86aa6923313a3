// What is wrong with one service, in one sentence. Pure.
#pragma once

#include <string>

#include "daemon/why/facts.hpp"

namespace belfry::daemon {

// "120 ms", "3.2 s", "4 min 12 s", "1 h 3 min".
[[nodiscard]] std::string span_text(Duration span);

// Behind its name: "does not start: port 80 is taken by …". `via`: how whoever asks came to it; null: it is
// what was asked for.
[[nodiscard]] std::string predicate_of(const ServiceFacts& facts, const WaitFacts* via = nullptr);
// The same with its name.
[[nodiscard]] std::string sentence_of(const ServiceFacts& facts, const WaitFacts* via = nullptr);
// Of one that only waits: "waits for db ready".
[[nodiscard]] std::string waiting_text(const StackFacts& stack, const ServiceFacts& facts);

}  // namespace belfry::daemon
