#include "config/model/pattern.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>

namespace belfry::config {

namespace {

// Of the automaton: patterns that would need more are refused, and searches never take more.
constexpr std::int64_t most_memory = 1 << 20;

constexpr int most_steps = 1000;
// Steps times bytes: 30 ms of a slow search.
constexpr std::size_t most_work = std::size_t{6} << 20;
constexpr std::size_t longest_text = std::size_t{1} << 20;

std::size_t reach_of(const re2::RE2& engine) {
  const auto steps = static_cast<std::size_t>(std::max(1, engine.ProgramSize()));
  return std::min(longest_text, most_work / steps);
}

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> engine) : engine_(std::move(engine)), reach_(reach_of(*engine_)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::expected<Pattern, std::string> Pattern::compile(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(most_memory);
  options.set_never_capture(true);
  auto engine = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!engine->ok()) return std::unexpected(engine->error());
  if (engine->ProgramSize() > most_steps)
    return std::unexpected("it has " + std::to_string(engine->ProgramSize()) + " steps, more than " +
                           std::to_string(most_steps) + ": repeat less of it");
  return Pattern(std::move(engine));
}

bool Pattern::occurs_in(std::string_view text) const {
  text = text.substr(0, reach_);
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *engine_);
}

}  // namespace belfry::config
