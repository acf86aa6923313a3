#include "text/suggest.hpp"

#include <algorithm>
#include <cctype>

namespace belfry::text {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// Optimal string alignment distance, in three rows; stops counting beyond `limit`.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    std::size_t best = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
      best = std::min(best, row[j]);
    }
    if (best > limit) return limit + 1;
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const std::size_t limit = word.size() < 3 ? 1 : word.size() < 6 ? 2 : 3;
  std::size_t best = limit + 1;
  std::string_view found;
  if (word.empty() || word.size() > 80) return found;
  for (const std::string_view candidate : candidates) {
    const std::size_t edits = distance(word, candidate, limit);
    if (edits < best && edits < candidate.size()) {
      best = edits;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  if (const std::string_view found = nearest(word, candidates); !found.empty())
    return "did you mean `" + std::string(found) + "`?";
  if (candidates.empty() || candidates.size() > 16) return {};
  std::string help = candidates.size() == 1 ? "the only one known is " : "known are: ";
  for (std::size_t i = 0; i < candidates.size(); ++i)
    help.append(i == 0 ? "`" : ", `").append(candidates[i]).append("`");
  return help;
}

}  // namespace belfry::text
