// A streamed answer on its way to its reader. Includes Asio: for the server's own files only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "channels/task.hpp"
#include "daemon/http/wire/admission.hpp"
#include "daemon/http/wire/answer_writer.hpp"
#include "daemon/http/wire/body_stream.hpp"
#include "daemon/http/wire/session.hpp"

namespace belfry::daemon::http {

// Why there cannot be one more. `more_has_come`: another request on its connection, which would never be
// answered.
[[nodiscard]] std::optional<Response> refuse_stream(const Shared& shared, const Admission& admission,
                                                    bool more_has_come);

// The head, and the stream to its end; the last thing on its connection.
Task<void> send_stream(Shared& shared, Admission& admission, Connection& connection, AnswerWriter& writer,
                       const Response& head, bool http_1_0, BodyStream& body);

// One piece at a time is in memory; the next one is made when it is gone. A reader who hangs up, who sends
// anything (nothing can be answered behind a stream) or who takes nothing for as long as an answer may take
// is let go. One who comes back later than what waits for him allows is told, and let go. Owner: the session.
// Lifecycle: one stream, the last answer of its connection. Cancellation: Shared::draining (what there is to
// say is said first), Shared::sessions, and by being given up.
class StreamWriter {
 public:
  StreamWriter(Shared& shared, Admission& admission, Connection& connection, BodyStream& body, bool chunked)
      : shared_(shared), admission_(admission), connection_(connection), body_(body), chunked_(chunked) {}
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  // The head has been sent.
  Task<void> run();

 private:
  Task<void> follow(Context& reading);
  Task<bool> send_next(BodyStream::Next& next);
  Task<bool> wait_for_news(Context& reading);
  Task<bool> send_piece();
  Task<bool> send_slowly(std::string_view bytes);
  void begin_piece();
  void end_piece();
  [[nodiscard]] bool is_empty() const { return piece_.size() == (chunked_ ? frame : 0); }

  static constexpr std::size_t frame = 8;  // "01f4a0\r\n": a chunk's size, filled in when it is known

  Shared& shared_;
  Admission& admission_;
  Connection& connection_;
  BodyStream& body_;
  bool chunked_;
  std::string piece_;
};

}  // namespace belfry::daemon::http
