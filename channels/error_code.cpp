#include "channels/error_code.hpp"

#include <string>

namespace belfry {

namespace {

class Category final : public error_category_type {
 public:
  const char* name() const noexcept override { return "belfry"; }
  std::string message(int value) const override {
    return std::string(to_string(static_cast<Error::Kind>(value - 1)));
  }
};

bool is_of_the_system(const error_code& code) {
  return code.category() == asio::error::get_system_category();
}

Error::Kind kind_of(const error_code& code) {
  if (code == asio::error::operation_aborted) return Error::Kind::cancelled;
  if (code == asio::error::eof) return Error::Kind::closed;
  if (code.category() == error_category()) return static_cast<Error::Kind>(code.value() - 1);
  return Error::Kind::failed;
}

}  // namespace

const error_category_type& error_category() noexcept {
  static const Category category;
  return category;
}

Error error_from(const error_code& code, std::string_view what) {
  if (is_of_the_system(code) && code != asio::error::operation_aborted)
    return Error::from_errno(code.value(), what);
  return Error(kind_of(code), std::string(what) + ": " + code.message());
}

error_code to_error_code(const Error& error) noexcept {
  if (error.empty()) return {};
  if (const int number = error.errnum(); number != 0) return {number, asio::error::get_system_category()};
  switch (error.kind()) {
    case Error::Kind::cancelled: return asio::error::operation_aborted;
    case Error::Kind::deadline_exceeded: return asio::error::timed_out;
    case Error::Kind::closed: return asio::error::eof;
    default: return {static_cast<int>(error.kind()) + 1, error_category()};
  }
}

}  // namespace belfry
