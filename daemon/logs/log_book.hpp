// The last lines of all services and of belfry itself, each in a ring of its own, and all of them in one
// order.
//
// The problem: whoever follows some of them wants to know at once that there is more, and a service that
// writes as fast as it can must not pay for readers of others. So a line costs a number and, where somebody
// follows its service, a place in the loop's ready list behind everything else; readers are told from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/callback.hpp"
#include "channels/intrusive_list.hpp"
#include "channels/loop.hpp"
#include "daemon/logs/log_text.hpp"
#include "daemon/logs/ring.hpp"

namespace belfry::daemon {

class LogBook;
class LogReader;

// The lines of one service. Owner: the book.
class LogPage final : public LineSink {
 public:
  explicit LogPage(LogBook& book);
  void add(const LogText& text, const LineOrigin& origin) override;
  [[nodiscard]] const LogRing& ring() const { return ring_; }

 private:
  friend class LogBook;
  friend class LogReader;
  LogBook& book_;
  LogRing ring_;
  std::size_t followers_ = 0;
  bool has_gone_ = false;  // its service: no line comes any more
};

// Owner: the native resources. Lifecycle: the daemon's; longer than its readers, and than who writes to its
// pages. Cancellation: none; adding never waits, and a reader waits with a context of its own.
class LogBook {
 public:
  static constexpr std::string_view own_name = "belfry";

  // A page for each service, by its index, and one for belfry's own lines.
  LogBook(Loop& loop, std::vector<std::string> services);
  LogBook(const LogBook&) = delete;
  LogBook& operator=(const LogBook&) = delete;

  // One more service, or another name for one.
  void add(std::size_t index, std::string_view name);
  // The service has gone: its lines go as well, and who still reads them is told that they were the last.
  void forget(std::size_t index);

  // Behind all services, however many there will be.
  [[nodiscard]] static constexpr std::size_t own() { return static_cast<std::size_t>(-1); }
  [[nodiscard]] LogPage& page(std::size_t index);
  [[nodiscard]] std::string_view name(std::size_t index) const {
    return index == own() ? own_name : std::string_view(names_[index]);
  }
  // Null: nobody has asked for the page yet.
  [[nodiscard]] const LogRing* ring(std::size_t index) const {
    const std::unique_ptr<LogPage>& page = index == own() ? own_page_ : pages_[index];
    return page ? &page->ring() : nullptr;
  }
  // Of the line that comes next.
  [[nodiscard]] std::uint64_t next_sequence() const { return order_.next; }

 private:
  friend class LogPage;
  friend class LogReader;

  // Runs when nothing else is ready any more.
  struct Telling final : Callback {
    explicit Telling(LogBook& b) : book(b) {}
    void run() noexcept override;
    LogBook& book;
  };

  Loop& loop_;
  LineOrder order_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<LogPage>> pages_;
  std::unique_ptr<LogPage> own_page_;
  IntrusiveList<LogReader> readers_;
  Telling telling_{*this};
};

}  // namespace belfry::daemon
