// Errors as values: a kind, a message and the error that caused it.
//
// The problem: what is expected to fail (a probe, a deadline, a file) fails often, and in a coroutine an
// exception costs a hundred times as much as a return. And the reader of a message wants to know the cause
// of the cause.
//
// The kind is for code, the message for people, the chain of causes for both. An empty Error is no error.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace belfry {

// An immutable value that is one pointer wide and cheap to copy (the payload is shared and counted,
// safe to copy between threads). A default-constructed Error is empty: it stands where nothing
// went wrong, as in the outcome of a bell that rang.
class Error {
 public:
  enum class Kind : std::uint8_t {
    failed,             // it was tried and did not work; the message says why
    cancelled,          // somebody called Context::cancel
    deadline_exceeded,  // the deadline of the context came first
    closed,             // the other side is gone: a closed channel, a stopped task
    refused,            // not now: full, no capacity, stopping
    invalid,            // the caller's argument makes no sense
    system,             // a system call failed; errnum() tells
  };

  Error() noexcept = default;
  explicit Error(Kind kind, std::string message, std::optional<Error> because = {});
  Error(const Error& other) noexcept : payload_(other.payload_) {
    if (payload_ != nullptr) retain(payload_);
  }
  Error(Error&& other) noexcept : payload_(std::exchange(other.payload_, nullptr)) {}
  Error& operator=(Error other) noexcept {
    std::swap(payload_, other.payload_);
    return *this;
  }
  ~Error() {
    if (payload_ != nullptr) release(payload_);
  }

  // Without arguments these share one payload each and allocate nothing.
  static Error cancelled();
  static Error cancelled(std::string message);
  static Error deadline_exceeded();
  static Error deadline_exceeded(std::string message);
  static Error closed(std::string message = "closed");
  static Error failed(std::string message) { return Error(Kind::failed, std::move(message)); }

  // Kind system, message "what: strerror(errnum)".
  static Error from_errno(int errnum, std::string_view what);

  bool empty() const noexcept { return payload_ == nullptr; }
  explicit operator bool() const noexcept { return payload_ != nullptr; }

  Kind kind() const noexcept;
  const std::string& message() const noexcept;
  // The error that this one wraps, or nullptr. Lives as long as this value.
  const Error* because() const noexcept;
  // The errno of the nearest system error in the chain; 0 when there is none.
  int errnum() const noexcept;
  // The whole chain, joined by ": ".
  std::string text() const;
  // The very same error, handed on, and not only one that says the same.
  bool is_same_as(const Error& other) const noexcept { return payload_ == other.payload_; }
  // A new error of the same kind with this one as its cause.
  Error wrap(std::string message) const;

 private:
  struct Payload;
  explicit Error(Payload* payload) noexcept : payload_(payload) {}
  static Error system(int errnum, std::string message);
  // By value and not as members: an Error that stays empty then never needs an address, and a
  // coroutine keeps it in registers.
  static void retain(Payload* payload) noexcept;
  static void release(Payload* payload) noexcept;

  Payload* payload_ = nullptr;
};

std::string_view to_string(Error::Kind kind) noexcept;

template <class T>
using Result = std::expected<T, Error>;

}  // namespace belfry
