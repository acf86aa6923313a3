#include "config/model/pattern.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>

namespace belfry::config {

namespace {

// Of the automaton: patterns that would need more are refused, and searches never take more.
constexpr std::int64_t most_memory = 1 << 20;

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> engine)
    : engine_(std::move(engine)), steps_(static_cast<std::size_t>(std::max(1, engine_->ProgramSize()))) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::expected<Pattern, std::string> Pattern::compile(std::string_view text, Groups groups) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(most_memory);
  options.set_never_capture(groups == Groups::forget);
  auto engine = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!engine->ok()) return std::unexpected(engine->error());
  Pattern pattern(std::move(engine));
  if (groups == Groups::forget && pattern.steps() > most_steps)
    return std::unexpected("it has " + std::to_string(pattern.steps()) + " steps, more than " +
                           std::to_string(most_steps) + ": repeat less of it");
  return pattern;
}

std::size_t Pattern::reach_of(std::size_t steps) {
  return std::clamp<std::size_t>(most_work / std::max<std::size_t>(steps, 1), 1, longest_text);
}

bool Pattern::occurs_in(std::string_view text, std::size_t most) const {
  const std::size_t end = std::min({text.size(), most, reach()});
  return engine_->Match(re2::StringPiece(text.data(), text.size()), 0, end, re2::RE2::UNANCHORED, nullptr, 0);
}

std::vector<std::string> Pattern::group_names() const {
  std::vector<std::string> names;
  for (const auto& [name, number] : engine_->NamedCapturingGroups()) names.push_back(name);
  return names;
}

std::vector<std::pair<std::string, std::string_view>> Pattern::groups_in(std::string_view text,
                                                                         std::size_t most) const {
  std::vector<std::pair<std::string, std::string_view>> found;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(engine_->NumberOfCapturingGroups()) + 1);
  const re2::StringPiece line(text.data(), text.size());
  if (!engine_->Match(line, 0, std::min({text.size(), most, reach()}), re2::RE2::UNANCHORED, groups.data(),
                      static_cast<int>(groups.size())))
    return found;
  for (const auto& [name, number] : engine_->NamedCapturingGroups()) {
    const re2::StringPiece& group = groups[static_cast<std::size_t>(number)];
    if (group.data() != nullptr) found.emplace_back(name, std::string_view(group.data(), group.size()));
  }
  return found;
}

}  // namespace belfry::config
