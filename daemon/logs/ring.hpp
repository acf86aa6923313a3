// The last lines of a service, in memory, for whoever asks for them later.
//
// The problem: a flood must not cost more than a copy, and a quiet service next to nothing. So what was read
// at once is kept in one piece with one head, pieces fill chunks of 64 KiB that grow as they are needed, and
// the oldest chunk goes when there are too many.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/logs/log_text.hpp"

namespace belfry::daemon {

// One line as it was written, without its end. `text` lives until the ring's next add().
struct RingLine {
  std::uint64_t sequence = 0;
  LineOrigin origin;
  std::string_view text;
  bool continued = false;  // the rest of the line before, of the same stream
  bool goes_on = false;    // it was cut, or is too long to be kept whole
};

// Owner: the native resources, one for each service that has written something. Lifecycle: the daemon's; the
//   lines of earlier runs stay, as far as they fit. Thread rules: the loop's thread.
class LogRing final : public LineSink {
 public:
  static constexpr std::size_t capacity = std::size_t{1} << 20;  // bytes, heads included
  static constexpr std::size_t longest_kept = std::size_t{256} << 10;

  void add(const LogText& text, const LineOrigin& origin) override;

  // Lines count from 1 up in the order in which they were read. Held are those from first() up to, but
  // without, next(); none when both are the same.
  [[nodiscard]] std::uint64_t first() const { return chunks_.empty() ? next_ : chunks_.front().first; }
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // Calls `visit(const RingLine&)` with the lines from `sequence` on, or with all when they have gone since,
  // until it returns false. What it should have come with next: where to go on.
  template <class Visit>
  std::uint64_t visit_from(std::uint64_t sequence, Visit visit) const;

 private:
  struct Head {
    LineOrigin origin;
    std::uint32_t size = 0;
    std::uint32_t lines = 0;
    bool continued = false;
    bool goes_on = false;
  };
  struct Chunk {
    std::uint64_t first = 0;  // sequence of its first line
    std::string pieces;       // heads, each with its text behind
  };
  void append(const LogText& part, const LineOrigin& origin);
  void make_room(std::size_t more);

  template <class Visit>
  static bool visit_piece(const Head& head, std::string_view text, std::uint64_t& at, std::uint64_t sequence,
                          Visit& visit);

  std::uint64_t next_ = 1;
  std::size_t bytes_ = 0;
  std::vector<Chunk> chunks_;
};

template <class Visit>
std::uint64_t LogRing::visit_from(std::uint64_t sequence, Visit visit) const {
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    if (i + 1 < chunks_.size() && chunks_[i + 1].first <= sequence) continue;
    std::uint64_t at = chunks_[i].first;
    std::string_view rest = chunks_[i].pieces;
    while (!rest.empty()) {
      Head head;
      std::memcpy(&head, rest.data(), sizeof head);
      const std::string_view text = rest.substr(sizeof head, head.size);
      rest.remove_prefix(sizeof head + head.size);
      if (at + head.lines <= sequence)
        at += head.lines;
      else if (!visit_piece(head, text, at, sequence, visit))
        return at;
    }
  }
  return next_;
}

template <class Visit>
bool LogRing::visit_piece(const Head& head, std::string_view text, std::uint64_t& at, std::uint64_t sequence,
                          Visit& visit) {
  for (std::uint32_t i = 0; i < head.lines; ++i, ++at) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const RingLine line{.sequence = at,
                        .origin = head.origin,
                        .text = text.substr(0, end),
                        .continued = head.continued && i == 0,
                        .goes_on = head.goes_on && i + 1 == head.lines};
    text.remove_prefix(std::min(end + 1, text.size()));
    if (at >= sequence && !visit(line)) {
      ++at;
      return false;
    }
  }
  return true;
}

}  // namespace belfry::daemon
