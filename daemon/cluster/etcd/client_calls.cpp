// What is asked: of the connection that stands, and again of another one where that is harmless.
#include <algorithm>
#include <utility>

#include "daemon/cluster/etcd/client.hpp"
#include "daemon/cluster/etcd/messages.hpp"

namespace belfry::daemon::etcd {

namespace {

constexpr int most_tries_of_a_list = 3;
constexpr std::int64_t most_keys_of_a_page = 8192;
constexpr std::size_t wanted_bytes_of_a_page = std::size_t{2} << 20;  // a message has 16 MiB at most

// It has not been done, for certain: etcd has refused it before it was proposed, or when it was applied.
bool is_definite(GrpcCode code) {
  switch (code) {
    case GrpcCode::invalid_argument:
    case GrpcCode::not_found:
    case GrpcCode::already_exists:
    case GrpcCode::permission_denied:
    case GrpcCode::resource_exhausted:
    case GrpcCode::failed_precondition:
    case GrpcCode::out_of_range:
    case GrpcCode::unimplemented:
    case GrpcCode::unauthenticated: return true;
    default: return false;
  }
}

}  // namespace

Task<Result<Client::Connection>> Client::connected(Context& ctx) {
  for (;;) {
    if (stopped_) co_return std::unexpected(Error::closed("the client of etcd was stopped"));
    if (current_ && current_->takes_calls()) co_return current_;
    // One that is about to go has rung already.
    if (standing_->ended()) standing_ = std::make_shared<Bell<>>(loop_, "connection to etcd");
    const std::shared_ptr<Bell<>> standing = standing_;
    ++asking_;
    wanted_.notify();
    const Outcome outcome = co_await standing->wait(ctx);
    --asking_;
    if (outcome.never()) co_return std::unexpected(outcome.cause);
    if (outcome.rung()) continue;
    if (facts_.trouble.empty()) co_return std::unexpected(outcome.cause);
    co_return std::unexpected(outcome.cause.wrap("etcd cannot be reached (" + facts_.trouble.text() + ")"));
  }
}

std::vector<Metadata> Client::metadata() const {
  std::vector<Metadata> fields{{"hasleader", "true"}};  // a member that knows no leader says so
  if (!token_.empty()) fields.emplace_back("token", token_);
  return fields;
}

Task<Result<Client::Answer>> Client::ask_once(Context& ctx, Connection connection, std::string_view path,
                                              std::string message) {
  // Whoever logs in or says who he is needs neither a leader nor a token.
  const bool is_greeting = path == path::authenticate || path == path::status;
  const std::vector<Metadata> fields = is_greeting ? std::vector<Metadata>() : metadata();
  Context soon = within(ctx, options_.answer_timeout);
  TransportCall call(connection, path, fields, message, Http2::Call::Kind::short_one);
  Answer answer;
  answer.from = connection;
  for (;;) {
    Result<std::optional<std::string>> got = co_await call.next(soon);
    if (!got && ctx.cancelled()) co_return std::unexpected(ctx.cause());
    if (!got) {
      // Another member may do better.
      const Error silent = Error::failed("etcd at " + connection->name() + " does not answer in time");
      connection->lose(silent);
      answer.end = {.how = CallEnd::How::lost, .status = {}, .why = silent};
      co_return answer;
    }
    if (!*got) break;
    answer.message = std::move(**got);
  }
  answer.end = call.end();
  co_return answer;
}

bool Client::wants_other_token(const GrpcStatus& status) const {
  if (options_.user.empty()) return false;
  return status.code == GrpcCode::unauthenticated ||
         (status.code == GrpcCode::invalid_argument &&
          (status.message.contains("auth store is old") || status.message.contains("user name is empty")));
}

Task<Result<void>> Client::renew_token(Context& ctx, Connection connection, std::uint64_t token) {
  Result<Permit> alone = co_await logging_in_.lock(ctx);
  if (!alone) co_return std::unexpected(alone.error());
  if (token != tokens_) co_return Result<void>{};
  Result<void> logged_in = co_await log_in(ctx, connection);
  co_return logged_in;
}

Task<Result<Client::Answer>> Client::ask(Context& ctx, Question question) {
  const std::string cannot = "cannot " + question.what;
  bool renewed = false;
  for (std::size_t tries = 0;; ++tries) {
    Result<Connection> connection = co_await connected(ctx);
    if (!connection) co_return std::unexpected(connection.error().wrap(cannot));
    const std::uint64_t token = tokens_;
    Result<Answer> answer = co_await ask_once(ctx, *connection, question.path, question.message);
    if (!answer) co_return std::unexpected(answer.error().wrap(cannot));
    const CallEnd& end = answer->end;
    const bool answered = end.how == CallEnd::How::answered;
    if (answered && !renewed && wants_other_token(end.status)) {
      renewed = true;
      Result<void> got = co_await renew_token(ctx, *connection, token);
      if (!got) co_return std::unexpected(got.error().wrap(cannot));
      continue;
    }
    // A member without a leader or a majority: others may have them.
    const bool unavailable = answered && end.status.code == GrpcCode::unavailable;
    if (unavailable)
      (*connection)->lose(Error::failed("etcd at " + (*connection)->name() + ": " + end.status.text()));
    const bool harmless = question.repeat == Repeat::yes || end.how == CallEnd::How::not_taken;
    if ((answered && !unavailable) || !harmless || tries >= options_.endpoints.size()) {
      if (unavailable)
        co_return std::unexpected(Error(Error::Kind::closed, cannot, (*connection)->why_lost()));
      co_return answer;
    }
  }
}

// In pages, as a message has a longest one. All of them are of the revision of the first, which the cluster
// agrees on; when that was compacted away meanwhile, it begins again.
Task<Result<Range>> Client::range(Context& ctx, std::string prefix) {
  Result<std::optional<Range>> whole;
  for (int tries = 0; whole && !*whole && tries < most_tries_of_a_list; ++tries)
    whole = co_await all_pages(ctx, prefix);
  if (!whole) co_return std::unexpected(whole.error());
  if (!*whole)
    co_return std::unexpected(Error::failed("cannot list the keys below " + prefix +
                                            " in etcd: it is compacted faster than they are read"));
  co_return std::move(**whole);
}

// Nothing: its revision is gone.
Task<Result<std::optional<Range>>> Client::all_pages(Context& ctx, std::string prefix) {
  Range whole;
  Page page{.prefix = prefix, .from = {}, .most = most_keys_of_a_page, .revision = 0};
  for (;;) {
    Question question{.path = path::range,
                      .message = range_request(page),
                      .what = "list the keys below " + prefix + " in etcd"};
    Result<Answer> answer = co_await ask(ctx, question);
    if (!answer) co_return std::unexpected(answer.error());
    if (page.revision != 0 && answer->end.how == CallEnd::How::answered &&
        answer->end.status.code == GrpcCode::out_of_range)
      co_return std::nullopt;
    const std::size_t bytes = answer->message.size();
    Result<RangeResponse> response = read(*answer, read_range_response, question.what);
    if (!response) co_return std::unexpected(response.error());
    std::vector<KeyValue>& keys = response->range.keys;
    if (page.revision == 0) page.revision = whole.revision = response->range.revision;
    if (response->has_more && keys.empty())
      co_return std::unexpected(Error::failed("cannot " + question.what + ": etcd has sent an empty page"));
    if (whole.keys.size() + keys.size() > most_elements)
      co_return std::unexpected(Error::failed("cannot " + question.what + ": there are more than " +
                                              std::to_string(most_elements)));
    if (response->has_more) {
      page.from = keys.back().key + '\0';
      const std::size_t fitting = wanted_bytes_of_a_page * keys.size() / std::max<std::size_t>(bytes, 1);
      page.most = std::clamp<std::int64_t>(static_cast<std::int64_t>(fitting), 1, most_keys_of_a_page);
    }
    std::ranges::move(keys, std::back_inserter(whole.keys));
    if (!response->has_more) co_return whole;
  }
}

Task<Result<TxnResult>> Client::txn(Context& ctx, Txn txn) {
  Question question{.path = path::txn,
                    .message = txn_request(txn),
                    .what = "make a transaction in etcd",
                    .repeat = Repeat::no};
  Result<Answer> answer = co_await ask(ctx, question);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->end.how == CallEnd::How::answered && answer->end.status.code == GrpcCode::not_found)
    co_return TxnResult{.revision = 0, .held = false, .lease_lost = true, .done = {}};
  if (answer->end.how == CallEnd::How::answered && answer->end.status.code != GrpcCode::ok &&
      !is_definite(answer->end.status.code))
    co_return std::unexpected(
        Error::closed("cannot " + question.what + ": " + answer->end.status.text() + " (it may be done)"));
  Result<TxnResponse> response = read(*answer, read_txn_response, question.what);
  if (!response) co_return std::unexpected(response.error());
  co_return std::move(response->result);
}

// Of one that is granted and not heard of, the TTL disposes.
Task<Result<Lease>> Client::grant(Context& ctx, std::chrono::seconds ttl) {
  Question question{
      .path = path::lease_grant, .message = lease_grant_request(ttl), .what = "get a lease from etcd"};
  Result<Answer> answer = co_await ask(ctx, question);
  if (!answer) co_return std::unexpected(answer.error());
  Result<LeaseResponse> response = read(*answer, read_lease_response, question.what);
  if (!response) co_return std::unexpected(response.error());
  if (response->lease.id == 0)
    co_return std::unexpected(Error::failed("cannot " + question.what + ": " + response->error));
  co_return response->lease;
}

Task<Result<void>> Client::revoke(Context& ctx, LeaseId lease) {
  Question question{
      .path = path::lease_revoke, .message = lease_revoke_request(lease), .what = "revoke a lease of etcd"};
  Result<Answer> answer = co_await ask(ctx, question);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->end.how == CallEnd::How::answered && answer->end.status.code == GrpcCode::not_found)
    co_return Result<void>{};
  Result<RevokeResponse> response = read(*answer, read_revoke_response, question.what);
  if (!response) co_return std::unexpected(response.error());
  co_return Result<void>{};
}

// --- renewals
// -------------------------------------------------------------------------------------------------

// A stream whose answer nobody waited for is given up: the next answer would be that one's.
Task<Result<std::chrono::seconds>> Client::keep_alive(Context& ctx, LeaseId lease) {
  Result<Permit> alone = co_await renewing_.lock(ctx);
  if (!alone) co_return std::unexpected(alone.error());
  Result<std::chrono::seconds> left = co_await keep_alive_once(ctx, lease);
  if (!left) renewals_.reset();
  if (!left) co_return std::unexpected(left.error().wrap("cannot renew a lease of etcd"));
  co_return left;
}

Task<Result<std::chrono::seconds>> Client::keep_alive_once(Context& ctx, LeaseId lease) {
  bool renewed = false;
  for (;;) {
    Result<Connection> connection = co_await connected(ctx);
    if (!connection) co_return std::unexpected(connection.error());
    const std::uint64_t token = tokens_;
    if (renewals_ && renewals_->shared_transport() == *connection) {
      renewals_->send(lease_keep_alive_request(lease));
    } else {
      renewals_ =
          std::make_unique<TransportCall>(*connection, path::lease_keep_alive, metadata(),
                                          lease_keep_alive_request(lease), Http2::Call::Kind::lasting);
    }
    Context soon = within(ctx, options_.answer_timeout);
    Result<std::optional<std::string>> got = co_await renewals_->next(soon);
    if (!got && ctx.cancelled()) co_return std::unexpected(ctx.cause());
    if (!got) {
      const Error silent = Error::closed("etcd at " + (*connection)->name() + " does not answer in time");
      (*connection)->lose(silent);
      co_return std::unexpected(silent);
    }
    if (*got) {
      Answer answer{.end = {}, .message = std::move(**got), .from = *connection};
      Result<LeaseResponse> response = read(answer, read_lease_response, "renew it");
      if (!response) co_return std::unexpected(response.error());
      if (response->lease.id != lease)
        co_return std::unexpected(Error::failed("the answer is about another lease"));
      co_return std::max(response->lease.ttl, std::chrono::seconds(0));
    }
    const CallEnd end = renewals_->end();
    renewals_.reset();
    if (end.how != CallEnd::How::answered) co_return std::unexpected(Error::closed(end.why.text()));
    if (end.status.code == GrpcCode::not_found) co_return std::chrono::seconds(0);
    if (renewed || !wants_other_token(end.status))
      co_return std::unexpected(Error::failed(end.status.text()));
    renewed = true;
    Result<void> other = co_await renew_token(ctx, *connection, token);
    if (!other) co_return std::unexpected(other.error());
  }
}

// --- watches
// --------------------------------------------------------------------------------------------------

// Owner, lifecycle, cancellation: as Watch.
class ClientWatch final : public Watch {
 public:
  ClientWatch(Client& client, Client::Connection connection, const std::string& prefix, Revision from)
      : client_(client),
        what_("watch the keys below " + prefix + " in etcd"),
        call_(std::move(connection), path::watch, client.metadata(), watch_create_request(prefix, from),
              Http2::Call::Kind::lasting) {}

  // Ends when the member has taken the watch; the error says why it has not.
  Task<Result<void>> begin(Context& ctx) {
    Result<WatchResponse> response = co_await hear(ctx);
    if (!response) co_return std::unexpected(response.error());
    if (!response->canceled) co_return Result<void>{};
    if (response->news.compacted != 0) {
      first_ = std::move(response->news);
      co_return Result<void>{};
    }
    // etcd says only in words whether the key or the token is at fault.
    status_ = {.code = GrpcCode::permission_denied, .message = response->cancel_reason};
    co_return std::unexpected(why_canceled(*response));
  }

  Task<Result<WatchNews>> next(Context& ctx) override {
    if (first_) {
      over_ = compacted();
      WatchNews news = std::move(*std::exchange(first_, std::nullopt));
      co_return news;
    }
    while (over_.empty()) {
      Result<WatchResponse> response = co_await hear(ctx);
      if (!response && ctx.cancelled()) co_return std::unexpected(response.error());
      if (!response) over_ = response.error();
      if (!response || (response->created && !response->canceled)) continue;
      if (response->canceled) over_ = why_canceled(*response);
      if (response->canceled && response->news.compacted == 0) break;
      co_return std::move(response->news);
    }
    co_return std::unexpected(over_);
  }

  // Of a call that the member has ended, or a watch that it has cancelled.
  [[nodiscard]] const GrpcStatus& status() const { return status_; }

 private:
  Task<Result<WatchResponse>> hear(Context& ctx) {
    Result<std::optional<std::string>> got = co_await call_.next(ctx);
    if (!got) co_return std::unexpected(got.error().wrap("cannot " + what_));
    Client::Answer answer{.end = {}, .message = {}, .from = call_.shared_transport()};
    if (*got) {
      answer.message = std::move(**got);
    } else {
      answer.end = call_.end();
      // A stream that ends without a word has told nothing, and neither has the watch.
      if (answer.end.how == CallEnd::How::answered && answer.end.status.code == GrpcCode::ok)
        answer.end.status = {.code = GrpcCode::unavailable, .message = "the stream has ended"};
      status_ = answer.end.status;
    }
    co_return client_.read(answer, read_watch_response, what_);
  }

  [[nodiscard]] Error compacted() const {
    return Error::failed("cannot " + what_ + ": what it was to begin with has been compacted away");
  }
  [[nodiscard]] Error why_canceled(const WatchResponse& response) const {
    if (response.news.compacted != 0) return compacted();
    const GrpcStatus said{.code = GrpcCode::cancelled, .message = response.cancel_reason};
    return Error::failed("cannot " + what_ + ": " + said.text());
  }

  Client& client_;
  std::string what_;
  TransportCall call_;
  std::optional<WatchNews> first_;  // what begin() has heard already
  Error over_;
  GrpcStatus status_;
};

Task<Result<std::unique_ptr<Watch>>> Client::watch(Context& ctx, std::string prefix, Revision from) {
  bool renewed = false;
  for (std::size_t tries = 0;; ++tries) {
    Result<Connection> connection = co_await connected(ctx);
    if (!connection)
      co_return std::unexpected(
          connection.error().wrap("cannot watch the keys below " + prefix + " in etcd"));
    const std::uint64_t token = tokens_;
    auto made = std::make_unique<ClientWatch>(*this, *connection, prefix, from);
    Context soon = within(ctx, options_.answer_timeout);
    Result<void> begun = co_await made->begin(soon);
    if (begun) co_return std::unique_ptr<Watch>(std::move(made));
    if (ctx.cancelled()) co_return std::unexpected(begun.error());
    const GrpcCode code = made->status().code;
    if (code == GrpcCode::ok || code == GrpcCode::unavailable) {
      // Lost, silent, or without a leader: others may do better.
      (*connection)->lose(begun.error());
      if (tries >= options_.endpoints.size()) co_return std::unexpected(begun.error());
    } else {
      const bool may_help = code == GrpcCode::permission_denied || wants_other_token(made->status());
      if (renewed || options_.user.empty() || !may_help) co_return std::unexpected(begun.error());
      renewed = true;
      Result<void> other = co_await renew_token(ctx, *connection, token);
      if (!other) co_return std::unexpected(other.error());
    }
  }
}

}  // namespace belfry::daemon::etcd
