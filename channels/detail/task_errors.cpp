#include "channels/detail/task_errors.hpp"

#include <string>

#include "channels/loop.hpp"

namespace belfry::detail {

namespace {
constexpr std::size_t longest_text = std::size_t{8} * 1024;
constexpr std::string_view and_others = "; and others";
}  // namespace

Error what_was_thrown(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::exception& e) {
    return Error::failed(e.what());
  } catch (...) {
    return Error::failed("an exception that is not a std::exception");
  }
}

void TaskErrors::put(Error error) {
  if (error_.empty()) {
    error_ = std::move(error);
  } else if (error_.message().size() < longest_text) {
    error_ = Error(error_.kind(), error_.text() + "; " + error.text());
  } else if (!error_.message().ends_with(and_others)) {
    error_ = Error(error_.kind(), error_.message() + std::string(and_others));
  }
  unread_ = true;
}

void TaskErrors::tell_it(Loop& loop, std::string_view what, std::string_view name) noexcept {
  unread_ = false;
  loop.unread_error(what, name, "nobody has read its error", error_);
}

}  // namespace belfry::detail
