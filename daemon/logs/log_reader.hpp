// Who reads the lines of some services, merged in the order in which belfry has read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "channels/intrusive_list.hpp"
#include "channels/wakeup.hpp"
#include "daemon/logs/log_book.hpp"

namespace belfry::daemon {

// Owner: whoever reads. Lifecycle: shorter than the book's. Cancellation: of the wait, by its context.
class LogReader final : public IntrusiveLink {
 public:
  // At the first line that is held of each; a page that is named twice counts once.
  LogReader(LogBook& book, std::vector<std::size_t> pages);
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // Something may have been added since the last wait. The error: the cause of `ctx`.
  Wakeup::Waiting news(Context& ctx) { return news_.wait(ctx); }
  [[nodiscard]] bool has_news() const;
  // All of its services have gone: what it has not read yet is the last that comes.
  [[nodiscard]] bool is_at_the_last() const;

  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] std::size_t page_of(std::size_t place) const { return places_[place].page; }
  [[nodiscard]] const LogRing& ring_of(std::size_t place) const { return *places_[place].ring; }
  [[nodiscard]] RingCursor& at(std::size_t place) { return places_[place].at; }
  [[nodiscard]] const RingCursor& at(std::size_t place) const { return places_[place].at; }

  // Goes on in all of them with the first line behind this one.
  void go_behind(std::uint64_t sequence);
  // How many lines of it have gone unread; they are passed over.
  std::uint64_t take_missed(std::size_t place);
  // Calls `visit(place, line)` with what comes before the line `until`, in the order of all of them, up to
  // the first for which it returns false, which counts as read.
  using Visit = std::function<bool(std::size_t place, const RingLine& line)>;
  void read(std::uint64_t until, const Visit& visit);
  // How many bytes have been added to its pages since they were begun.
  [[nodiscard]] std::uint64_t bytes_in_all() const;

 private:
  friend struct LogBook::Telling;
  struct Place {
    std::size_t page;
    LogPage* owner;
    const LogRing* ring;
    RingCursor at;
  };
  LogBook& book_;
  Wakeup news_;
  std::vector<Place> places_;
};

}  // namespace belfry::daemon
