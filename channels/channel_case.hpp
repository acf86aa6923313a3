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
    aim({});
  }

 protected:
  explicit ChannelCase(ChannelEnd<T> end) noexcept : core_(end.core()), end_(std::move(end)) {
    party_.select_case = this;
  }

  void aim(ChannelEnd<T> end) noexcept {
    end_ = std::move(end);
    core_ = end_.core();
    closed_ = false;
  }

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

  Error lost(const char* what) const {
    return Error(Error::Kind::invalid, std::string("cannot ") + what + " channel '" +
                                           (core_ == nullptr ? "nil" : core_->name()) +
                                           "': this case has not won, or its value was taken already");
  }

  ChannelCore<T>* core_ = nullptr;
  ChannelWaiter<T> party_;
  bool closed_ = false;  // it won because the channel is closed

 private:
  WaitingPlace* entered_ = nullptr;
  ChannelEnd<T> end_;  // the channel must not go before the case
};

}  // namespace detail

// Ready when a value is there, or when the channel is closed and drained. Reusable. A value that it won and
// that nobody has taken stays: the case is ready until it is.
template <class T>
class ReceiveCase final : public detail::ChannelCase<T> {
 public:
  explicit ReceiveCase(Receiver<T> from) noexcept : detail::ChannelCase<T>(std::move(from)) {}
  ~ReceiveCase() override { ReceiveCase::leave(); }
  void target(Receiver<T> from) noexcept {
    this->reset();
    this->aim(std::move(from));
  }

  // After this case won: the value, or kind closed. Of a case that lost, kind invalid.
  Result<T> take() {
    if (!this->party_.value) {
      if (this->closed_ && this->core_ != nullptr)
        return std::unexpected(this->core_->closed_error("receive from"));
      return std::unexpected(this->lost("take from"));
    }
    T value = std::move(*this->party_.value);
    this->party_.value.reset();
    return value;
  }

 private:
  bool try_take() override {
    this->closed_ = false;
    if (this->party_.value) return true;
    if (this->core_ == nullptr) return false;
    if (this->core_->try_receive(this->party_.value)) return true;
    this->closed_ = this->core_->closed();
    return this->closed_;
  }
  std::string describe() const override {
    return this->core_ == nullptr ? std::string()
                                  : "a value from " + detail::named("channel", this->core_->name());
  }
  void enter() override {
    if (this->core_ != nullptr) this->enter_at(this->core_->receivers());
  }
};

// Ready when the value can be handed over or buffered, or when the channel is closed. When it is sent the
// case is nil until it is given another one; while it is not, take_back() has it.
template <class T>
class SendCase final : public detail::ChannelCase<T> {
 public:
  SendCase(Sender<T> to, T value) : detail::ChannelCase<T>(std::move(to)) { give(std::move(value)); }
  ~SendCase() override { SendCase::leave(); }
  // Between selects only.
  void give(T value) {
    if (this->select_ != nullptr)
      detail::die("give a value to a case of channel", this->core_ == nullptr ? "nil" : this->core_->name(),
                  "a select waits with it");
    this->party_.value.emplace(std::move(value));
    this->party_.met = this->closed_ = false;
  }

  // After this case won: ok, or kind closed. Of a case that lost, kind invalid.
  Result<void> sent() const {
    if (this->party_.met) return {};
    return std::unexpected(this->closed_ && this->core_ != nullptr ? this->core_->closed_error("send on")
                                                                   : this->lost("send on"));
  }
  // The value, as long as it has not been sent. The case is nil afterwards.
  std::optional<T> take_back() {
    if (this->party_.met || this->select_ != nullptr) return std::nullopt;
    return std::exchange(this->party_.value, std::nullopt);
  }

 private:
  bool has_value() const noexcept { return this->party_.value.has_value() && !this->party_.met; }
  bool try_take() override {
    this->closed_ = false;
    if (this->core_ == nullptr || !has_value()) return false;
    this->closed_ = this->core_->closed();
    if (this->closed_) return true;
    this->party_.met = this->core_->try_send(*this->party_.value);
    return this->party_.met;
  }
  std::string describe() const override {
    return this->core_ == nullptr ? std::string()
                                  : "room in " + detail::named("channel", this->core_->name());
  }
  void enter() override {
    if (this->core_ != nullptr && has_value()) this->enter_at(this->core_->senders());
  }
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
