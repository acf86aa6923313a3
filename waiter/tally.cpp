#include "waiter/tally.hpp"

#include <utility>

namespace belfry::waiter {

std::size_t Tally::add(std::string name, std::vector<std::string> services) {
  all_.push_back({.name = std::move(name), .why = {}, .services = std::move(services)});
  return all_.size() - 1;
}

bool Tally::is_so() const { return any_ ? met_ > 0 : met_ == all_.size(); }

void Tally::met(std::size_t index) {
  if (all_[index].state != Awaited::State::waiting) return;
  all_[index].state = Awaited::State::met;
  ++met_;
  if (is_so()) decided_.notify();
}

void Tally::hopeless(std::size_t index, Failure why) {
  if (all_[index].state != Awaited::State::waiting) return;
  all_[index].state = Awaited::State::hopeless;
  all_[index].why = why.message;
  if (!first_hopeless_) first_hopeless_ = std::move(why);
  if (any_ && ++hopeless_ < all_.size()) return;
  if (!failure_) failure_ = first_hopeless_;
  decided_.notify();
}

void Tally::refused(Failure why) {
  if (!failure_) failure_ = std::move(why);
  decided_.notify();
}

void Tally::interrupted(int signo) {
  signal_ = signo;
  decided_.notify();
}

}  // namespace belfry::waiter
