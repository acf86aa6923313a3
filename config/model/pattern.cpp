#include "config/model/pattern.hpp"

#include <re2/re2.h>

namespace belfry::config {

namespace {

// Of the automaton: patterns that would need more are refused, and searches never take more.
constexpr std::int64_t most_memory = 1 << 20;

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> engine) : engine_(std::move(engine)) {}
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
  return Pattern(std::move(engine));
}

bool Pattern::occurs_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *engine_);
}

}  // namespace belfry::config
