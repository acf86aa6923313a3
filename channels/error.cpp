#include "channels/error.hpp"

#include <atomic>
#include <system_error>

namespace belfry {

struct Error::Payload {
  std::atomic<std::uint32_t> users{1};
  Kind kind = Kind::failed;
  int errnum = 0;
  std::string message;
  Error because;

  Payload(Kind k, int number, std::string text, Error cause)
      : kind(k), errnum(number), message(std::move(text)), because(std::move(cause)) {}
};

Error::Error(Kind kind, std::string message, std::optional<Error> because)
    : payload_(new Payload(kind, 0, std::move(message), because ? std::move(*because) : Error())) {}

void Error::retain(Payload* payload) noexcept { payload->users.fetch_add(1, std::memory_order_relaxed); }

void Error::release(Payload* payload) noexcept {
  if (payload->users.fetch_sub(1, std::memory_order_acq_rel) == 1) delete payload;
}

Error Error::cancelled() {
  static const Error shared(Kind::cancelled, "cancelled");
  return shared;
}

Error Error::cancelled(std::string message) { return Error(Kind::cancelled, std::move(message)); }

Error Error::deadline_exceeded() {
  static const Error shared(Kind::deadline_exceeded, "deadline exceeded");
  return shared;
}

Error Error::deadline_exceeded(std::string message) {
  return Error(Kind::deadline_exceeded, std::move(message));
}

Error Error::closed(std::string message) { return Error(Kind::closed, std::move(message)); }

Error Error::system(int errnum, std::string message) {
  return Error(new Payload(Kind::system, errnum, std::move(message), Error()));
}

Error Error::from_errno(int errnum, std::string_view what) {
  return system(errnum, std::string(what) + ": " + std::generic_category().message(errnum));
}

Error::Kind Error::kind() const noexcept { return payload_ == nullptr ? Kind::failed : payload_->kind; }

const std::string& Error::message() const noexcept {
  static const std::string none;
  return payload_ == nullptr ? none : payload_->message;
}

const Error* Error::because() const noexcept {
  return payload_ == nullptr || payload_->because.empty() ? nullptr : &payload_->because;
}

int Error::errnum() const noexcept {
  for (const Error* e = this; e != nullptr && !e->empty(); e = e->because()) {
    if (e->payload_->errnum != 0) return e->payload_->errnum;
  }
  return 0;
}

std::string Error::text() const {
  std::string all = message();
  for (const Error* e = because(); e != nullptr; e = e->because()) all.append(": ").append(e->message());
  return all;
}

Error Error::wrap(std::string message) const { return Error(kind(), std::move(message), *this); }

std::string_view to_string(Error::Kind kind) noexcept {
  switch (kind) {
    case Error::Kind::failed: return "failed";
    case Error::Kind::cancelled: return "cancelled";
    case Error::Kind::deadline_exceeded: return "deadline_exceeded";
    case Error::Kind::closed: return "closed";
    case Error::Kind::refused: return "refused";
    case Error::Kind::invalid: return "invalid";
    case Error::Kind::system: return "system";
  }
  return "unknown";
}

}  // namespace belfry
