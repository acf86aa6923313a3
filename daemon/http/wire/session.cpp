#include "daemon/http/wire/session.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "channels/handshake.hpp"
#include "channels/spawn.hpp"
#include "daemon/http/wire/answer_writer.hpp"
#include "daemon/http/wire/connection.hpp"
#include "daemon/http/wire/stream_writer.hpp"

namespace belfry::daemon::http {
namespace {

constexpr std::size_t first_buffer = 2048;
constexpr std::size_t cost_of_handshake = std::size_t{32} * 1024;  // as bytes of an answer
constexpr std::size_t least_share = 512;                           // of a turn, for any answer
constexpr std::size_t most_in_a_row = 16;  // requests of one connection before others have their turn

// Rings the doorbell when the connection is gone, however that comes about. Its descriptor is closed just
// before.
class ConnectionGuard {
 public:
  ConnectionGuard(Shared& shared, Admission& admission) : shared_(shared), admission_(admission) {
    shared_.handler.happened(ConnectionEvent::accepted);
  }
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;
  ~ConnectionGuard() {
    shared_.handler.happened(ConnectionEvent::closed);
    --admission_.open;
    shared_.reserve.refill();
    if (!shared_.loop.abandoned()) admission_.room.notify();
  }

 private:
  Shared& shared_;
  Admission& admission_;
};

// A caller that hangs up ends its own wait. Bytes that come instead (a pipelined request) end the watch.
Task<void> watch_hang_up(Context& watching, Connection& connection, Context& caller) {
  const Connection::Sign sign = co_await connection.watch(watching);
  if (sign == Connection::Sign::end) caller.cancel(Error::closed("the client hung up"));
}

bool is_late(const Context& ctx) {
  return ctx.cancelled() && ctx.cause().kind() == Error::Kind::deadline_exceeded;
}

Task<void> run_in_background(Shared& shared, std::unique_ptr<Deferred> deferred, Counted) {
  try {
    const Response unseen = co_await deferred->perform(shared.sessions);
    static_cast<void>(unseen);
  } catch (...) {
    shared.handler.broke(error_from_exception("http command", std::current_exception()));
  }
}

// Owner: the frame of serve_connection. Lifecycle: requests one after the other, answers in their order.
// Cancellation: Shared::draining while idle, Shared::sessions always; a deadline for each phase.
class Session {
 public:
  Session(Shared& shared, Admission& admission, Connection& connection, Caller caller)
      : shared_(shared),
        admission_(admission),
        caller_(caller),
        parser_(shared.limits.parser),
        connection_(connection) {
    input_.resize(first_buffer);
  }

  Task<void> run();

 private:
  enum class Arrival : std::uint8_t { request, refused, late, over };

  Task<Arrival> next_request();
  Task<Arrival> rest_of_request();
  [[nodiscard]] Response refusal_of(Arrival arrival) const;
  Task<bool> read_first_bytes();
  Task<bool> read_some(Context& ctx);
  ParseState parse();
  Task<bool> take_turn();
  Task<void> respond();
  Response begin_stream(StreamedAnswer answer);
  std::unique_ptr<Deferred> begin_answer();
  [[nodiscard]] std::optional<Response> refuse(const Deferred& deferred) const;
  Task<void> end_answer(std::unique_ptr<Deferred> deferred);
  Task<void> linger();
  void hold_request(Evictable& place);
  void shrink(std::size_t to = first_buffer);
  [[nodiscard]] TimePoint after(Duration duration) const {
    return saturating_add(shared_.loop.now(), duration);
  }

  Shared& shared_;
  Admission& admission_;
  Caller caller_;
  RequestParser parser_;
  Connection& connection_;
  std::vector<char> input_;  // [begin_, end_) has been received and not been consumed
  std::size_t begin_ = 0, end_ = 0;
  AnswerWriter writer_{shared_, admission_, connection_};
  Response response_;                   // to the request at hand; here, so that it is in one frame only
  std::unique_ptr<BodyStream> stream_;  // of the answer that is about to be sent
  bool continue_sent_ = false;
  bool served_ = false;       // a request of this connection has been answered
  std::size_t in_a_row_ = 0;  // requests without a pause
};

Task<void> Session::run() {
  for (;;) {
    const Arrival arrival = co_await next_request();
    if (arrival == Arrival::over) break;
    response_ = refusal_of(arrival);
    if (arrival == Arrival::request) {
      const bool may = co_await take_turn();
      if (!may) break;
      co_await respond();
    }
    const Request& request = parser_.request();
    response_.close = response_.close || !request.keep_alive || shared_.draining.cancelled();
    shared_.handler.answered(response_.status);
    if (response_.streamed && request.method != Method::head) {
      shrink();
      co_await send_stream(shared_, admission_, connection_, writer_, response_, request.http_1_0, *stream_);
      break;
    }
    const bool sent = co_await writer_.send(response_, request);
    if (!sent) break;
    if (response_.close) {
      const bool flushed = co_await writer_.flush();
      if (flushed && arrival != Arrival::request) co_await linger();
      break;
    }
    parser_.reset();
    response_ = {};
    continue_sent_ = false;
    served_ = true;
  }
}

Response Session::refusal_of(Arrival arrival) const {
  if (arrival == Arrival::refused) return parser_.refusal();
  Response response;
  if (arrival == Arrival::late)
    response = problem(408, "cannot wait any longer for the rest of this request");
  response.close = arrival == Arrival::late;
  return response;
}

Task<Session::Arrival> Session::next_request() {
  ParseState state = parse();
  if (state == ParseState::need_more) {
    // Nothing more to do for what came so far: pipelined answers go out in one piece, here.
    const bool flushed = co_await writer_.flush();
    if (!flushed) co_return Arrival::over;
    if (!parser_.begun() && begin_ == end_) {
      const bool came = co_await read_first_bytes();
      if (!came) co_return Arrival::over;
      state = parse();
    }
  }
  if (state == ParseState::need_more) {
    const Arrival arrival = co_await rest_of_request();
    co_return arrival;
  }
  co_return state == ParseState::complete ? Arrival::request : Arrival::refused;
}

// From the first bytes of a request on: as a whole it has a time, and it goes before younger ones.
Task<Session::Arrival> Session::rest_of_request() {
  Context in_time(shared_.sessions, after(shared_.limits.request));
  Evictable place(admission_.half, in_time);
  admission_.can_make_room();
  ParseState state = ParseState::need_more;
  while (state == ParseState::need_more) {
    hold_request(place);
    if (parser_.wants_continue() && !std::exchange(continue_sent_, true)) {
      const bool told = co_await writer_.send_now("HTTP/1.1 100 Continue\r\n\r\n");
      if (!told) co_return Arrival::over;
    }
    const bool came = co_await read_some(in_time);
    if (!came) co_return is_late(in_time) ? Arrival::late : Arrival::over;
    state = parse();
  }
  co_return state == ParseState::complete ? Arrival::request : Arrival::refused;
}

void Session::hold_request(Evictable& place) {
  place.hold(input_.size() + parser_.request().body.size());
  while (admission_.half.bytes() > shared_.limits.half_bytes && admission_.half.give_up_first())
    shared_.handler.happened(ConnectionEvent::shed);
}

// A connection that waits keeps nothing of a large request that it once had.
void Session::shrink(std::size_t to) {
  if (begin_ != end_ || input_.size() == to) return;
  std::vector<char>(to).swap(input_);
  begin_ = end_ = 0;
}

Task<bool> Session::read_first_bytes() {
  Context idle(shared_.draining, after(shared_.limits.idle));
  // Who has just come is as good as in the middle of a request: its first bytes may be on the way.
  const Evictable place(served_ ? admission_.idle : admission_.half, idle);
  admission_.can_make_room();
  shrink();
  in_a_row_ = 0;
  const bool came = co_await read_some(idle);
  co_return came;
}

Task<bool> Session::read_some(Context& ctx) {
  if (begin_ > 0) {
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(begin_),
              input_.begin() + static_cast<std::ptrdiff_t>(end_), input_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  // A head that is not complete stays whole, and the parser bounds it: the buffer is bounded with it.
  if (end_ == input_.size()) input_.resize(std::max(first_buffer, input_.size() * 2));
  const std::size_t size = co_await connection_.read_some(ctx, std::span(input_).subspan(end_));
  if (size == 0 || was_given_up(ctx)) co_return false;
  end_ += size;
  co_return true;
}

ParseState Session::parse() {
  if (begin_ == end_) return ParseState::need_more;
  std::size_t consumed = 0;
  const ParseState state = parser_.feed({input_.data() + begin_, end_ - begin_}, consumed);
  begin_ += consumed;
  return state;
}

// Waits until there is time for this request; false when it was given up meanwhile.
Task<bool> Session::take_turn() {
  if (++in_a_row_ % most_in_a_row == 0) co_await TurnShare::let_io_go_first(shared_.sessions);
  TurnShare& share = shared_.turn_share;
  if (share.has_left() || shared_.handler.is_light(parser_.request())) co_return true;
  Context waiting(shared_.sessions);
  const Evictable place(admission_.half, waiting);
  admission_.can_make_room();
  co_await share.wait(waiting);
  co_return !was_given_up(waiting);
}

// A request that broke something in here must not take the others with it, nor the services.
Task<void> Session::respond() {
  try {
    const TimePoint began = shared_.loop.now();
    std::unique_ptr<Deferred> deferred = begin_answer();
    const Duration took = shared_.loop.now() - began;
    if (deferred) co_await end_answer(std::move(deferred));
    shared_.turn_share.take(least_share + response_.body.size(), took);
    co_return;
  } catch (...) {
    shared_.handler.broke(error_from_exception("http request", std::current_exception()));
  }
  response_ = problem(500, "cannot answer: internal error; belfry's own output says which");
  response_.close = true;
}

// What there is to wait for first; nothing: the answer, or the head of a stream, is there.
std::unique_ptr<Deferred> Session::begin_answer() {
  Answer answer = shared_.handler.answer(parser_.request(), caller_);
  if (auto* deferred = std::get_if<std::unique_ptr<Deferred>>(&answer)) return std::move(*deferred);
  if (auto* streamed = std::get_if<StreamedAnswer>(&answer))
    response_ = begin_stream(std::move(*streamed));
  else
    response_ = std::get<Response>(std::move(answer));
  return nullptr;
}

Response Session::begin_stream(StreamedAnswer answer) {
  if (parser_.request().method != Method::head) {
    if (auto refused = refuse_stream(shared_, admission_, begin_ != end_)) return std::move(*refused);
    stream_ = std::move(answer.body);
    answer.head.close = true;
  }
  answer.head.streamed = true;
  return std::move(answer.head);
}

std::optional<Response> Session::refuse(const Deferred& deferred) const {
  const ServerLimits& limits = shared_.limits;
  if (deferred.delay() == Delay::command) {
    if (!is_full(admission_.commands, limits.commands, limits.connections / 8)) return std::nullopt;
    return too_many("cannot do that now: " + std::to_string(admission_.commands) +
                    " other commands are not done; try again");
  }
  if (!is_full(admission_.waits, limits.waits, limits.connections / 4 * 3) &&
      admission_.wait_names + deferred.events() <= limits.wait_names)
    return std::nullopt;
  return too_many("cannot wait: " + std::to_string(admission_.waits) + " others do already, for " +
                  std::to_string(admission_.wait_names) + " services; try again");
}

// Ten thousand may wait here, so that one coroutine does all of it: each frame more is half a kilobyte.
Task<void> Session::end_answer(std::unique_ptr<Deferred> deferred) {
  if (auto refused = refuse(*deferred)) {
    response_ = std::move(*refused);
    co_return;
  }
  const bool waits = deferred->delay() == Delay::wait;
  Counted place(waits ? admission_.waits : admission_.commands);
  const Counted waited_for(admission_.wait_names, deferred->events());
  if (auto at_once = deferred->at_once()) {
    spawn(shared_.tasks, "http command", run_in_background(shared_, std::move(deferred), std::move(place)));
    response_ = std::move(*at_once);
    co_return;
  }
  const bool flushed = co_await writer_.flush();
  shrink(0);
  Context caller(shared_.sessions);
  if (!flushed) caller.cancel(Error::closed("the client hung up"));
  Handshake watch(shared_.sessions, "http hang-up watch");
  spawn(watch, watch_hang_up(watch.context(), connection_, caller));
  std::exception_ptr thrown;
  try {
    response_ = co_await deferred->perform(caller);
  } catch (...) {
    thrown = std::current_exception();
  }
  Context joining(shared_.loop);
  const Result<void> stopped = co_await watch.stop(joining);
  if (thrown) std::rethrow_exception(thrown);
  if (!stopped) shared_.handler.broke(stopped.error());  // the answer is good all the same
}

// A close while bytes are unread resets the connection, and the peer may lose the refusal before it read it.
Task<void> Session::linger() {
  connection_.end_sending();
  constexpr auto patience = std::chrono::seconds(1);
  constexpr std::size_t most = std::size_t{256} * 1024;
  Context in_time(shared_.sessions, after(patience));
  const Evictable place(admission_.idle, in_time);
  admission_.can_make_room();
  std::size_t dropped = 0;
  while (dropped < most) {
    begin_ = end_ = 0;
    const bool came = co_await read_some(in_time);
    if (!came) co_return;
    dropped += end_;
  }
}

// As long as the rest of a request may take; to sign costs a millisecond, and so others have their turn
// first.
Task<bool> secure(Shared& shared, Admission& admission, Connection& connection) {
  Context in_time(shared.sessions, saturating_add(shared.loop.now(), shared.limits.request));
  const Evictable place(admission.half, in_time);
  admission.can_make_room();
  co_await shared.turn_share.wait(in_time);
  if (was_given_up(in_time)) co_return false;
  const bool secured = co_await connection.secure(in_time);
  shared.turn_share.take(cost_of_handshake, Duration::zero());
  co_return secured && !was_given_up(in_time);
}

}  // namespace

Task<void> serve_connection(Shared& shared, Admission& admission, system::OwnedFd fd,
                            std::unique_ptr<tls::ServerSession> tls, Caller caller) {
  const ConnectionGuard guard(shared, admission);
  Connection connection(shared.loop, std::move(fd), std::move(tls));
  try {
    if (connection.has_tls()) {
      const bool secured = co_await secure(shared, admission, connection);
      if (!secured) co_return;
    }
    Session session(shared, admission, connection, caller);
    co_await session.run();
    connection.say_goodbye();
  } catch (...) {
    shared.handler.broke(error_from_exception("http session", std::current_exception()));
  }
}

}  // namespace belfry::daemon::http
