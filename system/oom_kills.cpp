#include "system/oom_kills.hpp"

#include <charconv>
#include <string_view>

#include "channels/loop.hpp"
#include "system/proc.hpp"

namespace belfry::system {

namespace {

constexpr Duration shared_for = std::chrono::seconds(1);

std::optional<std::uint64_t> killed_by_now(const std::string& file) {
  const std::string text = proc::read_file(file);
  constexpr std::string_view name = "\noom_kill ";  // since Linux 4.13
  const std::size_t at = text.find(name);
  std::uint64_t count = 0;
  if (at == std::string::npos) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + at + name.size(), text.data() + text.size(), count);
  return error == std::errc{} ? std::optional(count) : std::nullopt;
}

}  // namespace

OomKills::Look OomKills::begin() {
  const TimePoint now = loop_.now();
  if (last_ && now - looked_at_ < shared_for) return last_;
  const auto fresh = std::make_shared<std::optional<std::uint64_t>>();
  looked_at_ = now;
  last_ = fresh;
  loop_.afterwards([fresh, file = file_] { *fresh = killed_by_now(file); });
  return last_;
}

std::optional<std::uint64_t> OomKills::since(const Look& begun) const {
  if (!begun || !*begun) return std::nullopt;
  const auto now = killed_by_now(file_);
  return now && *now >= **begun ? std::optional(*now - **begun) : std::nullopt;
}

}  // namespace belfry::system
