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

std::expected<Pattern, std::string> Pattern::compile(std::string_view text, Groups groups) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(most_memory);
  options.set_never_capture(groups == Groups::forget);
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

std::vector<std::string> Pattern::group_names() const {
  std::vector<std::string> names;
  for (const auto& [name, number] : engine_->NamedCapturingGroups()) names.push_back(name);
  return names;
}

std::vector<std::pair<std::string, std::string_view>> Pattern::groups_in(std::string_view text) const {
  std::vector<std::pair<std::string, std::string_view>> found;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(engine_->NumberOfCapturingGroups()) + 1);
  text = text.substr(0, reach_);
  const re2::StringPiece line(text.data(), text.size());
  if (!engine_->Match(line, 0, line.size(), re2::RE2::UNANCHORED, groups.data(),
                      static_cast<int>(groups.size())))
    return found;
  for (const auto& [name, number] : engine_->NamedCapturingGroups()) {
    const re2::StringPiece& group = groups[static_cast<std::size_t>(number)];
    if (group.data() != nullptr) found.emplace_back(name, std::string_view(group.data(), group.size()));
  }
  return found;
}

}  // namespace belfry::config
