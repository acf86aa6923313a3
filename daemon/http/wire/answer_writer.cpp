#include "daemon/http/wire/answer_writer.hpp"

#include <cerrno>

namespace belfry::daemon::http {
namespace {

constexpr std::size_t large_body =
    std::size_t{16} * 1024;  // written from where it is instead of being copied

}  // namespace

Task<bool> AnswerWriter::send(Response& response, const Request& request) {
  const bool head_only = request.method == Method::head;
  append_head(output_, response, {!response.close, request.http_1_0, shared_.date()});
  if (!head_only && response.body.size() < large_body) output_ += response.body;
  if (!head_only && response.body.size() >= large_body) {
    body_size_ = response.body.size();
    const bool head_sent = co_await flush();
    if (!head_sent) co_return false;
    const bool body_sent = co_await send_body(response.body);
    body_size_ = 0;
    co_return body_sent;
  }
  if (output_.size() < large_body) co_return true;
  const bool sent = co_await flush();
  co_return sent;
}

Task<bool> AnswerWriter::flush() {
  if (output_.empty()) co_return true;
  const bool sent = co_await send_now(output_);
  if (output_.capacity() > large_body) std::string().swap(output_);
  output_.clear();
  co_return sent;
}

// Nearly every answer fits into the socket's buffer: no need to ask the loop first.
Task<bool> AnswerWriter::send_now(std::string_view bytes) {
  const bool all = connection_.send_what_fits(bytes);
  if (all || errno != EAGAIN) co_return all;
  const bool taken = co_await send_slowly(bytes);
  co_return taken;
}

// What is left for later is kept without what is gone by then, when that is most of it: to copy it takes
// time.
Task<bool> AnswerWriter::send_body(std::string& body) {
  std::string_view left = body;
  if (connection_.send_what_fits(left)) co_return true;
  if (errno != EAGAIN) co_return false;
  if (left.size() < body.capacity() / 2) {
    body = std::string(left);
    left = body;
  }
  body_size_ = body.capacity();
  const bool taken = co_await send_slowly(left);
  co_return taken;
}

// To a peer that does not keep up. It keeps the whole answer in memory: when all of them keep too much, those
// go that have not taken anything for longest.
Task<bool> AnswerWriter::send_slowly(std::string_view bytes) {
  Context in_time(shared_.sessions, shared_.loop.now() + shared_.limits.write);
  Evictable place(admission_.unread, in_time);
  admission_.can_make_room();
  place.hold(output_.size() + body_size_);
  while (admission_.unread.bytes() > shared_.limits.unread_bytes && !place.is_first() &&
         admission_.unread.give_up_first())
    shared_.handler.happened(ConnectionEvent::shed);
  for (;;) {
    const bool writable = co_await connection_.wait_until_writable(in_time);
    if (!writable || was_given_up(in_time)) co_return false;
    place.got_on();
    if (connection_.send_what_fits(bytes)) co_return true;
    if (errno != EAGAIN) co_return false;
  }
}

std::string_view Shared::date() {
  const auto now = std::chrono::floor<std::chrono::seconds>(WallClock::coarse_now());
  if (date_.empty() || now != date_second_) {
    date_second_ = now;
    date_ = imf_fixdate(now);
  }
  return date_;
}

}  // namespace belfry::daemon::http
