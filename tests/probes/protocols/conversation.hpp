// A dialogue without a server: what it says, what it hears in pieces of every size, how it ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "probes/protocols/dialogue.hpp"

namespace belfry::test {

using Step = probes::Dialogue::Step;

inline std::string said_by(const Result<Step>& step) {
  if (!step) return step.error().text();
  return *step == Step::done ? "done" : *step == Step::listen ? "listens" : "wants TLS";
}

// "done", "listens" when it waits for more than `answer`, or why it is not ready.
inline std::string outcome(probes::Dialogue& dialogue, std::string_view answer, std::size_t piece) {
  std::string say;
  Result<Step> step = dialogue.begin(say);
  for (; step && *step == Step::listen && !answer.empty();
       answer.remove_prefix(std::min(piece, answer.size())))
    step = dialogue.hear(answer.substr(0, piece), say);
  return said_by(step);
}

// The same in one piece and byte by byte; where these differ, both.
inline std::string outcome(probes::Dialogue& dialogue, std::string_view answer) {
  const std::string whole = outcome(dialogue, answer, std::string_view::npos);
  const std::string bytes = outcome(dialogue, answer, 1);
  return whole == bytes ? whole : "in one piece: " + whole + "; byte by byte: " + bytes;
}

// When the server closes behind `answer`.
inline std::string outcome_of_end(probes::Dialogue& dialogue, std::string_view answer) {
  const std::string before = outcome(dialogue, answer, std::string_view::npos);
  return before == "listens" ? said_by(dialogue.ended()) : before;
}

inline std::string first_words(probes::Dialogue& dialogue) {
  std::string say;
  return dialogue.begin(say) ? say : std::string();
}

// How many bytes of an answer that repeats `part` it hears until it has enough of it.
inline std::size_t patience(probes::Dialogue& dialogue, std::string_view beginning, std::string_view part) {
  std::string say;
  Result<Step> step = dialogue.begin(say);
  if (!beginning.empty()) step = dialogue.hear(beginning, say);
  std::size_t heard = beginning.size();
  for (; step && *step == Step::listen && heard < (std::size_t{8} << 20); heard += part.size()) {
    say.clear();
    step = dialogue.hear(part, say);
  }
  return heard;
}

}  // namespace belfry::test
