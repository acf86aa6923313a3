#include "channels/error_group.hpp"

#include <exception>

#include "channels/spawn.hpp"

namespace belfry {

ErrorGroup::~ErrorGroup() {
  if (unread_)
    context_.loop().unread_error("destroy error group", running_.name(), "nobody has read its error",
                                 combined());
}

// Does it say no more than that the group was cancelled?
bool ErrorGroup::is_echo(const Error& error) const noexcept {
  if (!context_.cancelled()) return false;
  for (const Error* one = &error; one != nullptr; one = one->because()) {
    if (one->is_same_as(context_.cause())) return true;
  }
  return error.kind() == Error::Kind::cancelled;
}

void ErrorGroup::failed(std::string_view name, Error error) {
  if (policy_ == Policy::first_error_cancels) {
    if (!failures_.empty() && is_echo(error)) return;
    if (failures_.empty()) context_.cancel(error);
  }
  failures_.push_back({std::string(name), std::move(error)});
  unread_ = true;
}

Task<> ErrorGroup::run(ErrorGroup& group, detail::PackedName name, Task<Result<void>> task) {
  try {
    Result<void> ended = co_await std::move(task);
    if (!ended) group.failed(name.view(), std::move(ended.error()));
  } catch (...) {
    group.failed(name.view(), error_from_exception(name.view(), std::current_exception()));
  }
}

Error ErrorGroup::combined() const {
  if (failures_.size() == 1) return failures_.front().error;
  std::string message = std::to_string(failures_.size()) + " tasks failed";
  const char* separator = ": ";
  for (const Failure& failure : failures_) {
    message.append(separator).append(failure.name).append(": ").append(failure.error.text());
    separator = "; ";
  }
  return Error(failures_.front().error.kind(), std::move(message));
}

Task<Result<void>> ErrorGroup::wait(Context& ctx) {
  Result<void> ended = co_await running_.wait(ctx);
  if (!ended) co_return ended;
  unread_ = false;
  if (failures_.empty()) co_return Result<void>();
  co_return std::unexpected(combined());
}

void spawn(ErrorGroup& group, std::string_view name, Task<Result<void>> task) {
  const bool begins_anew = group.running() == 0 && !group.unread_;
  if (begins_anew && group.policy_ == ErrorGroup::Policy::all_run) group.failures_.clear();
  spawn(group.running_, name, ErrorGroup::run(group, detail::PackedName(name), std::move(task)));
}

}  // namespace belfry
