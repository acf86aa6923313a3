#include "daemon/cluster/etcd/client.hpp"

#include <charconv>
#include <utility>

#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "daemon/cluster/etcd/messages.hpp"
#include "daemon/cluster/etcd/version.hpp"

namespace belfry::daemon::etcd {

namespace {

constexpr std::string_view alpn = "\2h2";

std::shared_ptr<Bell<>> new_bell(Loop& loop) { return std::make_shared<Bell<>>(loop, "connection to etcd"); }

std::string hex(std::uint64_t id) {
  std::string digits(16, '0');
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), id, 16).ptr;
  digits.resize(static_cast<std::size_t>(end - digits.data()));
  return digits;
}

// In one line what each of the members said.
Error in_vain(const std::vector<Error>& failures) {
  std::string all;
  for (const Error& failure : failures) all += (all.empty() ? "" : "; ") + failure.text();
  return Error(Error::Kind::refused, "no member of etcd can be used: " + all);
}

}  // namespace

Client::Client(Context& parent, ClientOptions options, probes::Resolver& resolver, tls::Clients& tls)
    : loop_(parent.loop()),
      options_(std::move(options)),
      resolver_(resolver),
      tls_(tls),
      standing_(new_bell(loop_)),
      wanted_(loop_, "questions to etcd"),
      logging_in_(loop_, "logging in to etcd"),
      renewing_(loop_, "renewing a lease"),
      life_(parent, "etcd client") {
  facts_.cluster = options_.cluster;
  shuffle(options_.endpoints, options_.random);
}

Client::~Client() = default;

void Client::start() { spawn(life_, live(life_.context())); }

Task<> Client::live(Context& ctx) {
  std::uint32_t in_a_row = 0;
  while (!ctx.cancelled()) {
    if (in_a_row > 0 && asking_ > 0) (void)co_await sleep_for(ctx, full_jitter(in_a_row, options_.random()));
    if (asking_ == 0) {
      (void)co_await wanted_.wait(ctx);
      continue;
    }
    if (ctx.cancelled()) break;
    const Endpoint endpoint = options_.endpoints[next_++ % options_.endpoints.size()];
    const Duration stood = co_await visit(ctx, endpoint);
    in_a_row = stood >= options_.steady_after ? 1 : in_a_row + 1;
  }
  close();
}

void Client::close() {
  stopped_ = true;
  standing_->never(Error::closed("the client of etcd was stopped"));
}

Task<Duration> Client::visit(Context& ctx, Endpoint endpoint) {
  auto connection = std::make_shared<Transport>(loop_, endpoint, options_.patience);
  Context life(ctx);
  WaitGroup tasks(loop_, "tasks of a connection to etcd");
  const TimePoint begun = loop_.now();
  TimePoint stood_since = TimePoint::max();
  Result<void> established = co_await establish(ctx, connection, endpoint, life, tasks);
  if (established) {
    stood_since = loop_.now();
    failures_.clear();
    current_ = connection;
    facts_.member = connection->name();
    ++facts_.connections;
    facts_.trouble = {};
    standing_->ring();
    (void)co_await connection->lost().wait(ctx);
    current_.reset();
    facts_.member.clear();
    facts_.trouble =
        connection->why_lost().wrap("the connection to etcd at " + connection->name() + " was lost");
    // Who has asked since the loss waits for a new one already.
    if (standing_->ended()) standing_ = new_bell(loop_);
  } else if (!ctx.cancelled()) {
    note_failure(established.error());
  }
  connection->lose(Error::closed("the client of etcd has let go of the connection"));
  life.cancel();
  // Nothing else may cut this wait short: the tasks use what ends with this frame.
  Context patience(loop_);
  Result<void> ended = co_await tasks.wait(patience);
  if (!ended) facts_.trouble = ended.error();
  connection->close();
  co_return established ? saturating_subtract(loop_.now(), stood_since) : saturating_subtract(begun, begun);
}

Task<Result<void>> Client::establish(Context& ctx, Connection connection, Endpoint endpoint, Context& life,
                                     WaitGroup& tasks) {
  Context soon = within(ctx, options_.connect_timeout);
  Result<std::unique_ptr<tls::ClientSession>> session = tls_session(endpoint);
  if (!session) co_return std::unexpected(session.error());
  Result<void> connected = co_await connection->connect(soon, resolver_, std::move(*session));
  if (!connected) co_return connected;
  connection->start(life, tasks);
  Result<void> greeted = co_await greet(soon, connection);
  co_return greeted;
}

Result<std::unique_ptr<tls::ClientSession>> Client::tls_session(const Endpoint& endpoint) {
  if (!endpoint.within_tls) return nullptr;
  auto client = tls_.get(options_.tls);
  if (!client) return std::unexpected(client.error().wrap("cannot speak TLS with " + endpoint.target.text()));
  const std::string& host =
      options_.tls.server_name.empty() ? endpoint.target.host : options_.tls.server_name;
  return std::make_unique<tls::ClientSession>(std::move(*client), host, nullptr, alpn);
}

// Who is it, and may we talk to him?
Task<Result<void>> Client::greet(Context& ctx, Connection connection) {
  if (!options_.user.empty() && token_.empty()) {
    Result<void> logged_in = co_await log_in(ctx, connection);
    if (!logged_in) co_return logged_in;
  }
  const std::string what = "ask etcd at " + connection->name() + " for its version";
  Result<Answer> answer = co_await ask_once(ctx, connection, path::status, status_request());
  if (!answer) co_return std::unexpected(answer.error().wrap("cannot " + what));
  // Some members tell it administrators only. What comes later has the cluster's id, too.
  const GrpcCode code = answer->end.status.code;
  if (answer->end.how == CallEnd::How::answered &&
      (code == GrpcCode::permission_denied || code == GrpcCode::unauthenticated)) {
    facts_.version.clear();
    facts_.remark =
        "etcd at " + connection->name() + " does not say its version: " + answer->end.status.text();
    co_return Result<void>{};
  }
  const Result<StatusResponse> status = read(*answer, read_status_response, what);
  if (!status) co_return std::unexpected(status.error());
  facts_.version = status->version;
  facts_.remark = remark_on_version(status->version);
  co_return Result<void>{};
}

Task<Result<void>> Client::log_in(Context& ctx, Connection connection) {
  const std::string what = "log in to etcd at " + connection->name() + " as " + options_.user;
  Result<Answer> answer = co_await ask_once(ctx, connection, path::authenticate,
                                            authenticate_request(options_.user, options_.password));
  if (!answer) co_return std::unexpected(answer.error().wrap("cannot " + what));
  // A cluster that asks nobody who he is has no tokens; it may begin to ask while this connection stands.
  if (answer->end.how == CallEnd::How::answered && answer->end.status.code == GrpcCode::failed_precondition)
    co_return Result<void>{};
  Result<AuthenticateResponse> response = read(*answer, read_authenticate_response, what);
  if (!response) co_return std::unexpected(response.error());
  token_ = std::move(response->token);
  ++tokens_;
  co_return Result<void>{};
}

Result<void> Client::pin(std::uint64_t cluster, Transport& from) {
  if (facts_.cluster == 0) facts_.cluster = cluster;
  if (facts_.cluster == cluster || cluster == 0) return {};
  const Error wrong = Error::failed("etcd at " + from.name() + " belongs to another cluster: its id is " +
                                    hex(cluster) + ", and not " + hex(facts_.cluster));
  from.lose(wrong);
  return std::unexpected(wrong);
}

void Client::note_failure(const Error& why) {
  facts_.trouble = why;
  failures_.push_back(why);
  if (failures_.size() < options_.endpoints.size()) return;
  standing_->never(in_vain(failures_));
  standing_ = new_bell(loop_);
  failures_.clear();
}

template <class Response>
Result<Response> Client::read(const Answer& answer, std::optional<Response> (*reader)(std::string_view),
                              const std::string& what) {
  if (answer.end.how != CallEnd::How::answered)
    return std::unexpected(Error(Error::Kind::closed, "cannot " + what, answer.end.why));
  if (answer.end.status.code != GrpcCode::ok)
    return std::unexpected(Error::failed("cannot " + what + ": " + answer.end.status.text()));
  std::optional<Response> response = reader(answer.message);
  if (!response) return std::unexpected(Error::failed("cannot " + what + ": the answer is not well-formed"));
  if (auto ours = pin(response->header.cluster, *answer.from); !ours)
    return std::unexpected(ours.error().wrap("cannot " + what));
  return std::move(*response);
}

template Result<RangeResponse> Client::read(const Answer&, std::optional<RangeResponse> (*)(std::string_view),
                                            const std::string&);
template Result<TxnResponse> Client::read(const Answer&, std::optional<TxnResponse> (*)(std::string_view),
                                          const std::string&);
template Result<LeaseResponse> Client::read(const Answer&, std::optional<LeaseResponse> (*)(std::string_view),
                                            const std::string&);
template Result<RevokeResponse> Client::read(const Answer&,
                                             std::optional<RevokeResponse> (*)(std::string_view),
                                             const std::string&);
template Result<WatchResponse> Client::read(const Answer&, std::optional<WatchResponse> (*)(std::string_view),
                                            const std::string&);

}  // namespace belfry::daemon::etcd
