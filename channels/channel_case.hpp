// Sending and receiving as cases of a select.
//
//   auto item = receive(in);             auto sent = send(out, value);
//   switch (co_await select(ctx, item, sent)) { case 0: use(item.take()); … }
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "channels/channel.hpp"
#include "channels/select.hpp"

namespace belfry {

namespace detail {

// What both directions share. Owner, lifecycle, cancellation: as SelectCase.
template <class T>
class ChannelCase : public SelectCase {
 public:
  // Nil: never ready, as an end that was never given a channel. Between selects only.
  void reset() noexcept {
    if (select_ != nullptr)
      die("re-aim a channel case", core_ == nullptr ? "" : core_->name(), "a select waits with it");
    leave();
    core_ = nullptr;
  }

 protected:
  explicit ChannelCase(ChannelCore<T>* core) noexcept : core_(core) { party_.select_case = this; }

  void enter_at(WaitingPlace& place) {
    party_.handle = Waiter::handle;
    party_.select = select_;
    party_.met = false;
    place.waiters.push_back(party_);
    ++place.outstanding;
    entered_ = &place;
  }
  void leave() noexcept override {
    party_.unlink();
    if (entered_ != nullptr && !abandoning) --entered_->outstanding;
    entered_ = nullptr;
  }

  ChannelCore<T>* core_;
  ChannelWaiter<T> party_;

 private:
  WaitingPlace* entered_ = nullptr;
};

}  // namespace detail

// Ready when a value is there, or when the channel is closed and drained. Reusable.
template <class T>
class ReceiveCase final : public detail::ChannelCase<T> {
 public:
  explicit ReceiveCase(Receiver<T> from) noexcept : detail::ChannelCase<T>(from.core()) {}
  ~ReceiveCase() override { ReceiveCase::leave(); }
  void target(Receiver<T> from) noexcept {
    this->reset();
    this->core_ = from.core();
  }

  // After this case won: the value, or kind closed.
  Result<T> take() {
    if (!this->party_.value) return std::unexpected(this->core_->closed_error("receive from"));
    T value = std::move(*this->party_.value);
    this->party_.value.reset();
    return value;
  }

 private:
  bool try_take() override {
    if (this->core_ == nullptr) return false;
    this->party_.value.reset();
    return this->core_->try_receive(this->party_.value) || this->core_->closed();
  }
  std::string describe() const override {
    return this->core_ == nullptr ? std::string()
                                  : "a value from " + detail::named("channel", this->core_->name());
  }
  void enter() override {
    if (this->core_ != nullptr) this->enter_at(this->core_->receivers());
  }
};

// Ready when the value can be handed over or buffered, or when the channel is closed. For another
// round give it another value.
template <class T>
class SendCase final : public detail::ChannelCase<T> {
 public:
  SendCase(Sender<T> to, T value) : detail::ChannelCase<T>(to.core()) { give(std::move(value)); }
  ~SendCase() override { SendCase::leave(); }
  void give(T value) {
    this->party_.value.emplace(std::move(value));
    sent_ = false;
  }

  // After this case won: ok, or kind closed.
  Result<void> sent() const {
    if (sent_ || this->party_.met) return {};
    return std::unexpected(this->core_->closed_error("send on"));
  }

 private:
  bool try_take() override {
    if (this->core_ == nullptr) return false;
    if (this->core_->closed()) return true;
    sent_ = this->core_->try_send(*this->party_.value);
    return sent_;
  }
  std::string describe() const override {
    return this->core_ == nullptr ? std::string()
                                  : "room in " + detail::named("channel", this->core_->name());
  }
  void enter() override {
    if (this->core_ != nullptr) this->enter_at(this->core_->senders());
  }

  bool sent_ = false;
};

template <class T>
ReceiveCase<T> receive(Receiver<T> from) noexcept {
  return ReceiveCase<T>(from);
}
template <class T>
ReceiveCase<T> receive(Channel<T>& from) noexcept {
  return ReceiveCase<T>(from.receiver());
}
template <class T>
SendCase<T> send(Sender<T> to, std::type_identity_t<T> value) {
  return SendCase<T>(to, std::move(value));
}
template <class T>
SendCase<T> send(Channel<T>& to, std::type_identity_t<T> value) {
  return SendCase<T>(to.sender(), std::move(value));
}

}  // namespace belfry
