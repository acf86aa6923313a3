// Values in little space, for a model that holds tens of thousands of services of which few use everything.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace belfry::config {

using Duration = std::chrono::nanoseconds;

// A std::optional of a duration or a moment in the space of its value: the smallest one stands for "unset".
// A value like the optional that it stands for.
template <class T>
class CompactOptional {
 public:
  constexpr CompactOptional() = default;
  constexpr CompactOptional(std::nullopt_t) {}
  constexpr CompactOptional(T value) : value_(value) {}
  constexpr CompactOptional(std::optional<T> value) : value_(value.value_or(T::min())) {}
  template <class Rep, class Period>
    requires std::is_convertible_v<std::chrono::duration<Rep, Period>, T>
  constexpr CompactOptional(std::chrono::duration<Rep, Period> value) : value_(value) {}

  [[nodiscard]] constexpr bool has_value() const { return value_ != T::min(); }
  constexpr explicit operator bool() const { return has_value(); }
  // Precondition: has_value().
  constexpr T operator*() const { return value_; }
  [[nodiscard]] constexpr T value_or(T other) const { return has_value() ? value_ : other; }
  constexpr operator std::optional<T>() const { return has_value() ? std::optional(value_) : std::nullopt; }
  constexpr void reset() { value_ = T::min(); }
  friend constexpr bool operator==(CompactOptional, CompactOptional) = default;

 private:
  T value_ = T::min();
};

using OptionalDuration = CompactOptional<Duration>;

// A part that few have, one pointer wide: a default T until it is written to.
// Reading a part that was never written to allocates nothing, as long as it is read through a const path.
// A value: a copy has a part of its own.
template <class T>
class Rarely {
 public:
  Rarely() = default;
  Rarely(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Rarely(const Rarely& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Rarely(Rarely&&) noexcept = default;
  Rarely& operator=(Rarely other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~Rarely() = default;

  const T& operator*() const { return value_ ? *value_ : nobody_wrote(); }
  const T* operator->() const { return &**this; }
  T& operator*() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }
  T* operator->() { return &**this; }
  friend bool operator==(const Rarely& one, const T& other) { return *one == other; }

 private:
  static const T& nobody_wrote() {
    static const T value{};
    return value;
  }
  std::unique_ptr<T> value_;
};

// A part that few have and that may not be there at all, one pointer wide: null until it is made.
// A value: a copy has a part of its own.
template <class T>
class Part : public std::unique_ptr<T> {
 public:
  using std::unique_ptr<T>::unique_ptr;
  Part() = default;
  Part(std::unique_ptr<T> part) : std::unique_ptr<T>(std::move(part)) {}
  Part(const Part& other) : std::unique_ptr<T>(other ? std::make_unique<T>(*other) : nullptr) {}
  Part(Part&&) noexcept = default;
  Part& operator=(Part other) noexcept {
    this->swap(other);
    return *this;
  }
  ~Part() = default;
};

// A text that many values have in common: copies share it. Immutable.
// The text lives until the last of them has gone.
class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}

  [[nodiscard]] const std::string& str() const {
    static const std::string empty;
    return text_ ? *text_ : empty;
  }
  operator std::string_view() const { return str(); }
  [[nodiscard]] bool empty() const { return str().empty(); }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace belfry::config
