// What has happened in this run of belfry, the newest of it, in memory that is bounded.
//
// The problem: whoever asks afterwards wants to know what happened, in which order and why; and whoever is
// being started must not wait until that is written down. So writing is an append to one buffer: no
// allocation, no lock, no reader in the way. The oldest events go when their room is needed.
//
// An event lies in the buffer as a head of fixed size and its texts, which are cut where they are longer than
// anybody reads; so the buffer bounds them as well. Readers hold a sequence number and nothing else: who is
// late finds out how much has gone. They are told when nothing else is ready any more, not in the turn of
// what happened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "channels/callback.hpp"
#include "channels/error.hpp"
#include "channels/intrusive_list.hpp"
#include "channels/loop.hpp"
#include "channels/wakeup.hpp"
#include "daemon/journal/event.hpp"

namespace belfry::daemon {

class JournalReader;

// Owner: the supervisor. Lifecycle: as long as it; longer than its readers.
// Cancellation: none; appending never waits, and a reader waits with a context of its own.
class Journal {
 public:
  using WallSource = WallMoment (*)();
  static constexpr std::size_t usual_capacity = std::size_t{1} << 20;  // bytes; touched only as they fill
  // Longer texts are cut, between two characters.
  static constexpr std::size_t longest_name = 255, longest_cause = 1000, longest_words = 250;

  // Precondition: `capacity` holds a few of the longest events.
  explicit Journal(Loop& loop, std::size_t capacity = usual_capacity, WallSource wall = now_by_the_wall);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Fills in the sequence and the times; `cause` is written with its whole chain.
  void append(const JournalEvent& event, const Error& cause = {});

  // The first that is kept, and the one after the last; the same when there is none.
  [[nodiscard]] Sequence first() const { return first_; }
  [[nodiscard]] Sequence next() const { return next_; }
  // Precondition: first() <= sequence < next().
  [[nodiscard]] JournalEvent at(Sequence sequence) const;
  // How many bytes lie from this event on; of one that has gone: of all that are kept.
  [[nodiscard]] std::size_t bytes_since(Sequence sequence) const;
  // Of this run among all runs of belfry, so that a number of another one is not taken for one of this.
  [[nodiscard]] std::uint64_t run() const { return run_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  static WallMoment now_by_the_wall();

 private:
  friend class JournalReader;
  struct Head;

  // Runs when nothing else is ready any more.
  struct Telling final : Callback {
    explicit Telling(Journal& j) : journal(j) {}
    void run() noexcept override;
    Journal& journal;
  };

  [[nodiscard]] std::size_t make_room(std::size_t size);
  [[nodiscard]] std::size_t place_of(Sequence sequence) const { return places_[sequence % most_events_]; }

  Loop& loop_;
  WallSource wall_;
  std::size_t capacity_;
  std::size_t most_events_;
  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<std::uint32_t[]> places_;  // of event n, at n modulo most_events_
  std::size_t end_ = 0;                      // where the next one goes, if there is room
  Sequence first_ = 1, next_ = 1;
  std::uint64_t run_;
  IntrusiveList<JournalReader> readers_;
  Telling telling_{*this};
};

// Owner: whoever reads on. Lifecycle: shorter than the journal. Cancellation: of the wait, by its context.
class JournalReader final : public IntrusiveLink {
 public:
  explicit JournalReader(Journal& journal);

  // Something may have been appended since the last wait. The error: the cause of `ctx`.
  Wakeup::Waiting news(Context& ctx) { return news_.wait(ctx); }

 private:
  friend class Journal;
  Wakeup news_;
};

}  // namespace belfry::daemon
