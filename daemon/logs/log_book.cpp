#include "daemon/logs/log_book.hpp"

#include <utility>

#include "daemon/logs/log_reader.hpp"

namespace belfry::daemon {

LogPage::LogPage(LogBook& book) : book_(book), ring_(book.order_) {}

void LogPage::add(const LogText& text, const LineOrigin& origin) {
  ring_.add(text, origin);
  if (followers_ > 0 && !book_.telling_.linked()) book_.loop_.wake_afterwards(book_.telling_);
}

LogBook::LogBook(Loop& loop, std::vector<std::string> services) : loop_(loop), names_(std::move(services)) {
  pages_.resize(names_.size());
}

void LogBook::add(std::size_t index, std::string_view name) {
  if (index >= names_.size()) names_.resize(index + 1);
  if (index >= pages_.size()) pages_.resize(index + 1);
  names_[index] = name;
}

void LogBook::forget(std::size_t index) {
  if (!pages_[index]) return;
  if (pages_[index]->followers_ == 0) return pages_[index].reset();
  pages_[index]->has_gone_ = true;
  if (!telling_.linked()) loop_.wake_afterwards(telling_);
}

LogPage& LogBook::page(std::size_t index) {
  std::unique_ptr<LogPage>& page = index == own() ? own_page_ : pages_[index];
  if (!page) page = std::make_unique<LogPage>(*this);
  return *page;
}

void LogBook::Telling::run() noexcept {
  IntrusiveList<LogReader>& readers = book.readers_;
  for (LogReader* one = readers.empty() ? nullptr : &readers.front(); one != nullptr;
       one = readers.after(*one)) {
    if (one->has_news()) one->news_.notify();
  }
}

}  // namespace belfry::daemon
