#include "daemon/http/session.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "channels/asio_bridge.hpp"
#include "channels/handshake.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon::http {
namespace {

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

constexpr std::size_t first_buffer = 2048;
constexpr std::size_t large_body =
    std::size_t{16} * 1024;  // written from where it is instead of being copied

// Rings the doorbell when the connection is gone, however that comes about. Its descriptor is closed just
// before.
class Attendance {
 public:
  Attendance(Shared& shared, Door& door) : shared_(shared), door_(door) { ++shared_.stats.connections_open; }
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;
  ~Attendance() {
    --shared_.stats.connections_open;
    --door_.open;
    shared_.reserve.refill();
    if (!shared_.loop.abandoned()) door_.connection_closed.notify();
  }

 private:
  Shared& shared_;
  Door& door_;
};

// A caller that hangs up ends its own wait. Bytes that come instead (a pipelined request) end the watch.
Task<void> watch_hang_up(Context& watching, Socket& socket, Context& caller) {
  auto readable = socket.async_wait(Socket::wait_read, asio::deferred);
  const auto [error] = co_await async(watching, std::move(readable));
  if (error) co_return;
  char byte = 0;
  const ssize_t seen = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen > 0 || (seen < 0 && errno == EAGAIN)) co_return;
  caller.cancel(Error::closed("the client hung up"));
}

bool is_late(const Context& ctx) {
  return ctx.cancelled() && ctx.cause().kind() == Error::Kind::deadline_exceeded;
}

Task<void> run_in_background(Shared& shared, RunCommand run) {
  const Response unseen = co_await shared.api.perform(shared.sessions, run);
  static_cast<void>(unseen);
}

// Owner: the frame of serve_connection. Lifecycle: requests one after the other, answers in their order.
// Cancellation: Shared::draining while idle, Shared::sessions always; a deadline for each phase.
class Session {
 public:
  Session(Shared& shared, Door& door, OwnedFd fd, Caller caller)
      : shared_(shared),
        door_(door),
        caller_(caller),
        parser_(shared.limits.parser),
        socket_(shared.loop.executor()) {
    // The family is not looked at again: reading and writing are the same for all streams.
    socket_.assign(asio::generic::stream_protocol(AF_UNIX, 0), fd.release());
    input_.resize(first_buffer);
  }

  Task<void> run();

 private:
  enum class Arrival : std::uint8_t { request, refused, late, over };

  Task<Arrival> next_request();
  [[nodiscard]] Response refusal_of(Arrival arrival) const;
  Task<bool> read_first_bytes();
  Task<bool> read_some(Context& ctx);
  ParseState parse();
  Task<Response> respond();
  template <class Pending>
  Task<Response> wait_for_response(Pending pending);
  Task<bool> send(const Response& response, bool head_only);
  Task<bool> flush();
  Task<bool> send_all(std::string_view bytes);
  Task<void> linger();
  [[nodiscard]] TimePoint after(Duration duration) const {
    return saturating_add(shared_.loop.now(), duration);
  }

  Shared& shared_;
  Door& door_;
  Caller caller_;
  RequestParser parser_;
  Socket socket_;
  std::vector<char> input_;  // [begin_, end_) has been received and not been consumed
  std::size_t begin_ = 0, end_ = 0;
  std::string output_;  // answers that have not been sent
  bool continue_sent_ = false;
};

Task<void> Session::run() {
  for (;;) {
    const Arrival arrival = co_await next_request();
    if (arrival == Arrival::over) break;
    Response response = refusal_of(arrival);
    if (arrival == Arrival::request) response = co_await respond();
    const Request& request = parser_.request();
    response.close = response.close || !request.keep_alive || shared_.draining.cancelled();
    shared_.stats.count(response.status);
    const bool sent = co_await send(response, request.method == Method::head);
    if (!sent) break;
    if (response.close) {
      const bool flushed = co_await flush();
      if (flushed && arrival != Arrival::request) co_await linger();
      break;
    }
    parser_.reset();
    continue_sent_ = false;
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
    const bool flushed = co_await flush();
    if (!flushed) co_return Arrival::over;
    if (!parser_.begun() && begin_ == end_) {
      const bool came = co_await read_first_bytes();
      if (!came) co_return Arrival::over;
      state = parse();
    }
  }
  std::optional<Context> in_time;
  while (state == ParseState::need_more) {
    if (!in_time) in_time.emplace(shared_.sessions, after(shared_.limits.request));
    if (parser_.wants_continue() && !std::exchange(continue_sent_, true)) {
      const bool told = co_await send_all("HTTP/1.1 100 Continue\r\n\r\n");
      if (!told) co_return Arrival::over;
    }
    const bool came = co_await read_some(*in_time);
    if (!came) co_return is_late(*in_time) ? Arrival::late : Arrival::over;
    state = parse();
  }
  co_return state == ParseState::complete ? Arrival::request : Arrival::refused;
}

Task<bool> Session::read_first_bytes() {
  Context idle(shared_.draining, after(shared_.limits.idle));
  const IdlePlace place(door_.idle, idle);
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
  if (end_ == input_.size()) input_.resize(input_.size() * 2);
  auto read =
      socket_.async_read_some(asio::buffer(input_.data() + end_, input_.size() - end_), asio::deferred);
  const auto [error, size] = co_await async(ctx, std::move(read));
  if (error || size == 0) co_return false;
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

Task<Response> Session::respond() {
  Answer answer = shared_.api.answer(parser_.request(), caller_, shared_.stats);
  if (auto* response = std::get_if<Response>(&answer)) co_return std::move(*response);
  if (auto* wait = std::get_if<WaitFor>(&answer)) {
    Response response = co_await wait_for_response(std::move(*wait));
    co_return response;
  }
  const RunCommand run = std::get<RunCommand>(answer);
  if (run.in_background) {
    spawn(shared_.tasks, "http command", run_in_background(shared_, run));
    co_return json(202, "{\"message\":\"accepted\"}\n");
  }
  Response response = co_await wait_for_response(run);
  co_return response;
}

template <class Pending>
Task<Response> Session::wait_for_response(Pending pending) {
  const bool flushed = co_await flush();
  Context caller(shared_.sessions);
  if (!flushed) caller.cancel(Error::closed("the client hung up"));
  Context watch_lifetime(shared_.loop);
  Handshake watch(watch_lifetime, "http hang-up watch");
  spawn(watch, watch_hang_up(watch.context(), socket_, caller));
  Response response = co_await shared_.api.perform(caller, std::move(pending));
  Context joining(shared_.loop);
  const Result<void> stopped = co_await watch.stop(joining);
  static_cast<void>(stopped);
  co_return response;
}

Task<bool> Session::send(const Response& response, bool head_only) {
  const Request& request = parser_.request();
  append_head(output_, response, {!response.close, request.http_1_0, shared_.date()});
  if (!head_only && response.body.size() < large_body) output_ += response.body;
  if (!head_only && response.body.size() >= large_body) {
    const bool head_sent = co_await flush();
    if (!head_sent) co_return false;
    const bool body_sent = co_await send_all(response.body);
    co_return body_sent;
  }
  if (output_.size() < large_body) co_return true;
  const bool sent = co_await flush();
  co_return sent;
}

Task<bool> Session::flush() {
  if (output_.empty()) co_return true;
  const bool sent = co_await send_all(output_);
  output_.clear();
  co_return sent;
}

Task<bool> Session::send_all(std::string_view bytes) {
  std::optional<Context> in_time;
  while (!bytes.empty()) {
    // Nearly every answer fits into the socket's buffer: no need to ask the loop first.
    const ssize_t sent =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return false;
    if (!in_time) in_time.emplace(shared_.sessions, after(shared_.limits.write));
    auto writable = socket_.async_wait(Socket::wait_write, asio::deferred);
    const auto [error] = co_await async(*in_time, std::move(writable));
    if (error) co_return false;
  }
  co_return true;
}

// A close while bytes are unread resets the connection, and the peer may lose the refusal before it read it.
Task<void> Session::linger() {
  ::shutdown(socket_.native_handle(), SHUT_WR);
  constexpr auto patience = std::chrono::seconds(1);
  constexpr std::size_t most = std::size_t{256} * 1024;
  Context in_time(shared_.sessions, after(patience));
  std::size_t dropped = 0;
  while (dropped < most) {
    begin_ = end_ = 0;
    const bool came = co_await read_some(in_time);
    if (!came) co_return;
    dropped += end_;
  }
}

}  // namespace

std::string_view Shared::date() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (date_.empty() || now.tv_sec != date_second_) {
    date_second_ = now.tv_sec;
    date_ = imf_fixdate(WallTime(std::chrono::seconds(now.tv_sec)));
  }
  return date_;
}

Task<void> serve_connection(Shared& shared, Door& door, OwnedFd fd, Caller caller) {
  const Attendance attendance(shared, door);
  Session session(shared, door, std::move(fd), caller);
  co_await session.run();
}

}  // namespace belfry::daemon::http
