#include "daemon/logs/log_reader.hpp"

#include <algorithm>
#include <utility>

namespace belfry::daemon {

namespace {

// Who reads more of them is told of every line: to look would take longer than to be told in vain.
constexpr std::size_t most_looked_at = 16;

// The line that comes next in one of the places.
struct Coming {
  RingLine line;
  RingCursor behind;
  std::size_t place;
};
constexpr auto comes_later = [](const Coming& a, const Coming& b) {
  return a.line.sequence > b.line.sequence;
};

}  // namespace

LogReader::LogReader(LogBook& book, std::vector<std::size_t> pages)
    : book_(book), news_(book.loop_, "log news") {
  std::ranges::sort(pages);
  const auto again = std::ranges::unique(pages);
  pages.erase(again.begin(), again.end());
  places_.reserve(pages.size());
  for (const std::size_t index : pages) {
    LogPage& page = book.page(index);
    ++page.followers_;
    places_.push_back(
        {.page = index, .owner = &page, .ring = &page.ring(), .at = {.next = page.ring().first()}});
  }
  book.readers_.push_back(*this);
}

LogReader::~LogReader() {
  for (const Place& place : places_) {
    if (--place.owner->followers_ == 0 && place.owner->has_gone_) book_.forget(place.page);
  }
}

bool LogReader::is_at_the_last() const {
  return std::ranges::all_of(places_, [](const Place& one) { return one.owner->has_gone_; });
}

bool LogReader::has_news() const {
  return places_.size() > most_looked_at || is_at_the_last() ||
         std::ranges::any_of(places_, [](const Place& one) { return one.at.next < one.ring->next(); });
}

void LogReader::go_behind(std::uint64_t sequence) {
  for (Place& place : places_) place.at = place.ring->behind(sequence);
}

std::uint64_t LogReader::take_missed(std::size_t place) {
  const std::uint64_t next = places_[place].at.next;
  const std::uint64_t first = places_[place].ring->first();
  if (next >= first) return 0;
  places_[place].at = {.next = first};
  return first - next;
}

void LogReader::read(std::uint64_t until, const Visit& visit) {
  std::vector<Coming> coming;
  const auto look = [&](std::size_t place) {
    Coming next{.line = {}, .behind = places_[place].at, .place = place};
    if (!places_[place].ring->read(next.behind, next.line) || next.line.sequence >= until) return;
    coming.push_back(next);
    std::ranges::push_heap(coming, comes_later);
  };
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (places_[place].at.next < places_[place].ring->next()) look(place);
  }
  for (bool goes_on = true; goes_on && !coming.empty();) {
    std::ranges::pop_heap(coming, comes_later);
    const Coming next = coming.back();
    coming.pop_back();
    places_[next.place].at = next.behind;
    goes_on = visit(next.place, next.line);
    if (goes_on) look(next.place);
  }
}

std::uint64_t LogReader::bytes_in_all() const {
  std::uint64_t bytes = 0;
  for (const Place& place : places_) bytes += place.ring->bytes_in_all();
  return bytes;
}

}  // namespace belfry::daemon
