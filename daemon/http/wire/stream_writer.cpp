#include "daemon/http/wire/stream_writer.hpp"

#include <cerrno>

#include "channels/handshake.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon::http {
namespace {

constexpr std::size_t size_of_piece = std::size_t{16} * 1024;
constexpr std::size_t usual_piece = 512;  // what an idle reader keeps
constexpr Duration between_heartbeats = std::chrono::seconds(15);

// The end of the connection, or bytes that nobody will answer.
Task<void> watch_reader(Context& watching, Connection& connection, Context& reading) {
  const Connection::Sign sign = co_await connection.watch(watching);
  if (sign != Connection::Sign::cancelled)
    reading.cancel(Error::closed("the reader has gone, or asks for something else"));
}

}  // namespace

std::optional<Response> refuse_stream(const Shared& shared, const Admission& admission, bool more_has_come) {
  if (more_has_come) {
    Response refused = problem(400, "cannot stream: another request follows on this connection");
    refused.close = true;
    return refused;
  }
  const ServerLimits& limits = shared.limits;
  if (!is_full(admission.streams, limits.streams, limits.connections - limits.connections / 16))
    return std::nullopt;
  return too_many("cannot stream: " + std::to_string(admission.streams) +
                  " others are told already; try again");
}

Task<void> send_stream(Shared& shared, Admission& admission, Connection& connection, AnswerWriter& writer,
                       const Response& head, bool http_1_0, BodyStream& body) {
  const Counted streams(admission.streams);
  std::string begin;
  append_head(begin, head, {.keep_alive = false, .http_1_0 = http_1_0, .date = shared.date()});
  bool sent = co_await writer.flush();
  if (sent) sent = co_await writer.send_now(begin);
  if (!sent) co_return;
  std::string().swap(begin);
  StreamWriter stream(shared, admission, connection, body, !http_1_0);
  co_await stream.run();
}

Task<void> StreamWriter::run() {
  Context reading(shared_.draining);
  const Evictable place(admission_.streaming, reading);
  admission_.can_make_room();
  Handshake watch(shared_.sessions, "http reader watch");
  spawn(watch, watch_reader(watch.context(), connection_, reading));
  co_await follow(reading);
  Context joining(shared_.loop);
  const Result<void> stopped = co_await watch.stop(joining);
  static_cast<void>(stopped);
}

Task<void> StreamWriter::follow(Context& reading) {
  auto next = BodyStream::Next::more;
  while (next != BodyStream::Next::end && !reading.cancelled()) {
    const Result<void> turn = co_await sleep_until(reading, shared_.stream_pace.take_turn());
    if (!turn) break;
    const bool sent = co_await send_next(next);
    if (!sent) co_return;
    if (next != BodyStream::Next::nothing) continue;
    const bool goes_on = co_await wait_for_news(reading);
    if (!goes_on) break;
  }
  // A daemon that goes down says how; to a reader who has gone there is nothing to say.
  const bool drains = shared_.draining.cancelled() && !shared_.sessions.cancelled();
  if (next != BodyStream::Next::end && !drains) co_return;
  for (next = drains ? BodyStream::Next::more : next; next == BodyStream::Next::more;) {
    const bool sent = co_await send_next(next);
    if (!sent) co_return;
  }
  if (!chunked_) co_return;
  piece_ = "0\r\n\r\n";
  const bool ended = co_await send_piece();
  static_cast<void>(ended);
}

Task<bool> StreamWriter::send_next(BodyStream::Next& next) {
  const TimePoint began = shared_.loop.now();
  begin_piece();
  next = body_.fill(piece_, size_of_piece);
  if (is_empty()) {  // what was looked at in vain has taken its time as well
    shared_.stream_pace.took(shared_.loop.now() - began);
    co_return true;
  }
  end_piece();
  std::string_view bytes = piece_;
  const bool all = connection_.send_what_fits(bytes);
  const int error = errno;
  const Duration took = shared_.loop.now() - began;
  shared_.stream_pace.took(took);
  shared_.turn_share.take(piece_.size(), took);
  if (all) co_return true;
  if (error != EAGAIN) co_return false;
  const bool sent = co_await send_slowly(bytes);
  co_return sent;
}

// False: the reader has gone, or the server ends.
Task<bool> StreamWriter::wait_for_news(Context& reading) {
  if (piece_.capacity() > usual_piece) std::string().swap(piece_);
  for (;;) {
    Context quiet(reading, saturating_add(shared_.loop.now(), between_heartbeats));
    const Result<void> news = co_await body_.news(quiet);
    if (reading.cancelled()) co_return false;
    if (news) co_return true;
    begin_piece();
    piece_ += body_.heartbeat();
    end_piece();
    const bool sent = co_await send_piece();
    if (!sent) co_return false;
  }
}

Task<bool> StreamWriter::send_piece() {
  std::string_view bytes = piece_;
  if (connection_.send_what_fits(bytes)) co_return true;
  if (errno != EAGAIN) co_return false;
  const bool sent = co_await send_slowly(bytes);
  co_return sent;
}

// What the socket did not take. Nothing is made for this reader meanwhile.
Task<bool> StreamWriter::send_slowly(std::string_view bytes) {
  Context in_time(shared_.sessions, saturating_add(shared_.loop.now(), shared_.limits.write));
  Evictable place(admission_.unread, in_time);
  admission_.can_make_room();
  place.hold(piece_.capacity());
  const std::size_t behind = body_.backlog();  // of what was kept before he came, too
  for (bool all = false; !all;) {
    const bool writable = co_await connection_.wait_until_writable(in_time);
    if (!writable || was_given_up(in_time)) {
      if (in_time.cancelled() && in_time.cause().kind() == Error::Kind::deadline_exceeded)
        shared_.handler.happened(ConnectionEvent::dropped);
      co_return false;
    }
    place.got_on();
    all = connection_.send_what_fits(bytes);
    if (!all && errno != EAGAIN) co_return false;
  }
  if (body_.backlog() <= behind + shared_.limits.stream_backlog) co_return true;
  shared_.handler.happened(ConnectionEvent::dropped);
  begin_piece();
  body_.append_farewell(piece_);
  end_piece();
  if (chunked_) piece_ += "0\r\n\r\n";
  std::string_view farewell = piece_;
  static_cast<void>(connection_.send_what_fits(farewell));
  co_return false;
}

void StreamWriter::begin_piece() {
  piece_.clear();
  if (chunked_) piece_ += "000000\r\n";
}

void StreamWriter::end_piece() {
  if (!chunked_) return;
  std::size_t size = piece_.size() - frame;
  for (std::size_t digit = 6; digit-- > 0; size >>= 4U) piece_[digit] = "0123456789abcdef"[size & 0xFU];
  piece_ += "\r\n";
}

}  // namespace belfry::daemon::http
