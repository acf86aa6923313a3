// A question with the way back in it: the answer comes to the one who asked, and to nobody else.
//
// The asker may leave at its deadline; the worker's answer then goes nowhere and blocks nobody. The
// worker may drop a question (or die with a queue full of them); the asker then gets an error at once
// instead of waiting for ever. Every question has a fresh reply.
//
// A worker that ends, or throws, leaves a queue that nobody reads. Run it through serving(), and its queue is
// closed with it: whoever waits at it, stands in it or comes later is told why.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "channels/channel.hpp"
#include "channels/detail/task_errors.hpp"
#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"

namespace belfry {

template <class T>
class Reply;
template <class T>
class ReplyCase;

// The worker's half: answers at most once; destroyed unanswered, it tells the asker so.
// Owner: whoever holds the question. Lifecycle: open, answered; move-only; may outlive the asker.
// Cancellation: abandoned() tells that nobody waits for the answer any more.
template <class T>
class [[nodiscard]] Replier {
 public:
  Replier() noexcept = default;
  Replier(Replier&& other) noexcept : reply_(std::exchange(other.reply_, nullptr)) { adopt(); }
  Replier& operator=(Replier&& other) noexcept {
    if (this == &other) return *this;
    drop();
    reply_ = std::exchange(other.reply_, nullptr);
    adopt();
    return *this;
  }
  ~Replier() { drop(); }

  // False when nobody waits for it any more. Never blocks.
  bool answer(T value) { return finish(Result<T>(std::move(value))); }
  bool fail(Error error) { return finish(Result<T>(std::unexpected(std::move(error)))); }
  bool abandoned() const noexcept { return reply_ == nullptr; }

 private:
  friend class Reply<T>;
  explicit Replier(Reply<T>& reply) noexcept : reply_(&reply) {}
  void adopt() noexcept {
    if (reply_ != nullptr) reply_->replier_ = this;
  }
  void drop() noexcept {
    if (reply_ == nullptr) return;
    if (detail::abandoning) {
      reply_->replier_ = nullptr;
    } else {
      fail(Error(Error::Kind::refused, "the question was dropped unanswered"));
    }
  }
  bool finish(Result<T> result) {
    Reply<T>* reply = std::exchange(reply_, nullptr);
    if (reply == nullptr) return false;
    reply->replier_ = nullptr;
    reply->settle(std::move(result));
    return true;
  }

  Reply<T>* reply_ = nullptr;
};

// The asker's half.
// Owner: the asking frame. Lifecycle: one replier(), one answer, taken once. Destroying it early is the
// normal way of leaving. Asking for a second replier ends the process with the name. Cancellation: of the
// wait; the answer of the same turn is still taken.
template <class T>
class Reply {
 public:
  explicit Reply(Loop& loop, const char* name = "reply") noexcept : place_(loop, name) {}
  ~Reply() {
    place_.assert_quiet("destroy reply");
    if (replier_ != nullptr) replier_->reply_ = nullptr;
  }

  // Once: the half that travels with the question.
  Replier<T> replier() noexcept {
    if (given_) detail::die("give away reply", place_.name, "its other half was given to somebody before");
    given_ = true;
    Replier<T> half(*this);
    replier_ = &half;
    return half;
  }

  class Waiting final : public detail::Wait<Waiting> {
   public:
    Waiting(Reply& reply, Context& ctx) noexcept
        : detail::Wait<Waiting>(reply.place_, ctx, reply.result_.has_value()), reply_(reply) {}
    bool await_ready() const noexcept { return granted() || this->is_cancelled(); }
    void await_suspend(std::coroutine_handle<> awaiting) noexcept { this->suspend(awaiting); }
    Result<T> await_resume() {
      this->resumed();
      if (reply_.result_) return *std::exchange(reply_.result_, std::nullopt);
      if (!reply_.can_come()) return std::unexpected(reply_.nothing_to_wait_for());
      return std::unexpected(this->cancel_cause());
    }
    bool granted() const noexcept { return reply_.result_.has_value() || !reply_.can_come(); }
    std::string describe() const { return detail::named("reply", reply_.place_.name); }

   private:
    Reply& reply_;
  };
  // Result<T>: the answer, the worker's error, kind refused when it was dropped, or the cause of ctx. Kind
  // invalid at once when no answer can come: nobody was given the replier, or somebody took the answer.
  Waiting wait(Context& ctx) noexcept { return {*this, ctx}; }

 private:
  friend class Replier<T>;
  friend class ReplyCase<T>;
  bool can_come() const noexcept { return replier_ != nullptr; }
  Error nothing_to_wait_for() const {
    return Error(Error::Kind::invalid, std::string("cannot wait for '") + place_.name + "': " +
                                           (given_ ? "its answer was taken already"
                                                   : "nobody was asked, because replier() was not called"));
  }
  void settle(Result<T> result) {
    result_.emplace(std::move(result));
    place_.loop->wake_all(place_.waiters);
  }

  detail::WaitingPlace place_;
  Replier<T>* replier_ = nullptr;
  bool given_ = false;
  std::optional<Result<T>> result_;
};

// What travels through the channel to the worker.
template <class Question, class Answer>
struct Request {
  Question question;
  Replier<Answer> reply;

  // What a channel says to the questions that are in it when it is given up.
  void refuse(const Error& why) {
    reply.fail(Error(Error::Kind::refused, "the question was not answered", why));
  }
};

// Runs the worker that reads `requests`. However it ends, by return or by exception,
// nobody reads the channel any more: it is closed with the cause, and what is in it is refused. The exception
// goes on to the task's owner. The channel must outlive the worker.
//   spawn(worker, serving(requests, answer_all(worker.context(), requests.receiver())));
template <class T>
Task<> serving(Channel<T>& requests, Task<> worker) {
  std::exception_ptr thrown;
  try {
    co_await std::move(worker);
  } catch (...) {
    thrown = std::current_exception();
  }
  requests.refuse(thrown ? Error::failed("its worker threw: " + detail::what_was_thrown(thrown).text())
                         : Error::closed("its worker has ended"));
  if (thrown) std::rethrow_exception(thrown);
}

// Sends the question and waits for the answer, both within ctx (give it a deadline for a timeout).
template <class Question, class Answer>
Task<Result<Answer>> ask(Context& ctx, Sender<Request<Question, Answer>> worker,
                         std::type_identity_t<Question> question) {
  Reply<Answer> reply(ctx.loop());
  Request<Question, Answer> request{std::move(question), reply.replier()};
  const Result<void> sent = co_await worker.send(ctx, std::move(request));
  if (!sent) co_return std::unexpected(sent.error());
  co_return co_await reply.wait(ctx);
}

}  // namespace belfry
