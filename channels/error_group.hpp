// Tasks with one result: the first error ends them all, or all run and the errors are combined.
//
// The problem: of several things that are done at once one may fail. When they are parts of a start, the
// others have become pointless; when they are parts of an end, each of them must be done all the same.
//
// The two policies are these two cases. Either way wait() returns only after every task has ended: a failure
// never leaves somebody behind who still uses what the caller is about to destroy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"

namespace belfry {

// Owner: the one who starts the tasks. Lifecycle: spawn any number, wait for the end of all, and again with
// all_run; destroyed only when all have ended. Errors that no wait() has told are told to the loop
// (Loop::on_unread_error). Cancellation: context() is what the tasks watch; with first_error_cancels
// the first error is its cause. Cancelling a wait leaves the tasks alone.
class ErrorGroup {
 public:
  enum class Policy : std::uint8_t {
    // Fail fast: siblings are cancelled. The first error is the result; those that only pass on the cancel
    // are
    // no news, any other is added.
    first_error_cancels,
    all_run,  // close everything: nobody is cancelled, the result names every error
  };

  ErrorGroup(Context& parent, Policy policy, const char* name = "error group") noexcept
      : context_(parent), policy_(policy), running_(parent.loop(), name) {}
  ~ErrorGroup();

  Context& context() noexcept { return context_; }
  std::size_t running() const noexcept { return running_.count(); }

  // Result<void>: ok when every task ended well; otherwise as the policy says; or the cause of ctx
  // when that came first. Ends only after all tasks have.
  Task<Result<void>> wait(Context& ctx);

  // An exception counts as an error of kind failed. See spawn.hpp for the name.
  friend void spawn(ErrorGroup& group, std::string_view name, Task<Result<void>> task);

 private:
  struct Failure {
    std::string name;
    Error error;
  };
  static Task<> run(ErrorGroup& group, detail::PackedName name, Task<Result<void>> task);
  void failed(std::string_view name, Error error);
  bool is_echo(const Error& error) const noexcept;
  Error combined() const;

  Context context_;
  Policy policy_;
  std::vector<Failure> failures_;
  bool unread_ = false;
  WaitGroup running_;
};

void spawn(ErrorGroup& group, std::string_view name, Task<Result<void>> task);

}  // namespace belfry
