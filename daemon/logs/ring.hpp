// The last lines of a service, in memory, for whoever asks for them later.
//
// The problem: a flood must not cost more than a copy, and a quiet service next to nothing. So what was read
// at once is kept in one piece with one head, pieces fill chunks of 64 KiB that grow as they are needed, and
// the oldest chunk goes when there are too many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/logs/log_text.hpp"

namespace belfry::daemon {

// One line as it was written, without its end. `text` lives until the ring's next add().
struct RingLine {
  std::uint64_t number = 0;    // among those of its ring
  std::uint64_t sequence = 0;  // among those of all rings of one LineOrder
  LineOrigin origin;
  std::string_view text;
  bool continued = false;  // the rest of the line before, of the same stream
  bool goes_on = false;    // it was cut, or is too long to be kept whole
};

// What the lines of several rings are counted by, in the order in which they are read: so they can be merged,
// and one number says how far somebody has read all of them, whatever the clock does.
struct LineOrder {
  std::uint64_t next = 1;
};

// Where somebody reads a ring: the first line that he has not seen. The rest says where that lies, so that
// nobody looks for it again; it is the ring's.
struct RingCursor {
  std::uint64_t next = 1;
  std::uint64_t chunk = 0;  // the number of its first line; 0: not looked for yet
  std::uint64_t first_of_piece = 0;
  std::uint32_t piece = 0;   // where its head lies
  std::uint32_t passed = 0;  // bytes of its text that have been read
};

// Owner: the LogBook, one for each service that has written something. Lifecycle: the daemon's; the lines of
// earlier runs stay, as far as they fit. Thread rules: the loop's thread.
class LogRing final : public LineSink {
 public:
  static constexpr std::size_t capacity = std::size_t{1} << 20;  // bytes, heads included
  static constexpr std::size_t longest_kept = std::size_t{256} << 10;

  explicit LogRing(LineOrder& order) : order_(order) {}
  LogRing(const LogRing&) = delete;
  LogRing& operator=(const LogRing&) = delete;

  void add(const LogText& text, const LineOrigin& origin) override;

  // Lines count from 1 up in the order in which they were read. Held are those from first() up to, but
  // without, next(); none when both are the same.
  [[nodiscard]] std::uint64_t first() const { return chunks_.empty() ? next_ : chunks_.front().first; }
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t bytes_in_all() const { return bytes_in_all_; }  // those that have gone, too
  // The sequence of the last line that is not held any more; 0: all are.
  [[nodiscard]] std::uint64_t last_gone() const { return last_gone_; }

  // The next line, if there is one. Lines that have gone are passed over: `line.number` tells.
  bool read(RingCursor& at, RingLine& line) const;
  // The first line that is held and comes after this one of all rings.
  [[nodiscard]] RingCursor behind(std::uint64_t sequence) const;

  // Calls `visit(const RingLine&)` with the lines from this number on, or with all when they have gone since,
  // until it returns false. What it should have come with next: where to go on.
  template <class Visit>
  std::uint64_t visit_from(std::uint64_t number, Visit visit) const {
    RingCursor at{.next = number};
    for (RingLine line; read(at, line) && visit(line);) {
    }
    return at.next;
  }

 private:
  struct Head {
    LineOrigin origin;
    std::uint64_t sequence = 0;  // of its first line
    std::uint32_t size = 0;
    std::uint32_t lines = 0;
    bool continued = false;
    bool goes_on = false;
  };
  struct Chunk {
    std::uint64_t first = 0;  // number of its first line
    std::string pieces;       // heads, each with its text behind
    [[nodiscard]] Head head_at(std::size_t place) const;
  };
  void append(const LogText& part, const LineOrigin& origin);
  void make_room(std::size_t more);
  void forget_oldest();
  [[nodiscard]] const Chunk* find(RingCursor& at) const;

  LineOrder& order_;
  std::uint64_t next_ = 1;
  std::uint64_t last_gone_ = 0;
  std::uint64_t bytes_in_all_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Chunk> chunks_;
};

}  // namespace belfry::daemon
