#include "channels/error_group.hpp"

#include <exception>

#include "channels/spawn.hpp"

namespace belfry {

void ErrorGroup::failed(std::string_view name, Error error) {
  if (policy_ == Policy::first_error_cancels) {
    if (!failures_.empty()) return;  // the others only say that they were cancelled
    context_.cancel(error);
  }
  failures_.push_back({name, std::move(error)});
}

Task<> ErrorGroup::run(ErrorGroup& group, std::string_view name, Task<Result<void>> task) {
  try {
    Result<void> ended = co_await std::move(task);
    if (!ended) group.failed(name, std::move(ended.error()));
  } catch (...) {
    group.failed(name, error_from_exception(name, std::current_exception()));
  }
}

Result<void> ErrorGroup::result() const {
  if (failures_.empty()) return {};
  if (failures_.size() == 1) return std::unexpected(failures_.front().error);
  std::string message = std::to_string(failures_.size()) + " tasks failed";
  const char* separator = ": ";
  for (const Failure& failure : failures_) {
    message.append(separator).append(failure.name).append(": ").append(failure.error.text());
    separator = "; ";
  }
  return std::unexpected(Error(failures_.front().error.kind(), std::move(message)));
}

Task<Result<void>> ErrorGroup::wait(Context& ctx) {
  Result<void> ended = co_await running_.wait(ctx);
  if (!ended) co_return ended;
  co_return result();
}

void spawn(ErrorGroup& group, std::string_view name, Task<Result<void>> task) {
  spawn(group.running_, name, ErrorGroup::run(group, name, std::move(task)));
}

}  // namespace belfry
