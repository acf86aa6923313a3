// The answers of one connection on their way to the peer. Includes Asio: for the server's own files only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "channels/task.hpp"
#include "daemon/http/wire/connection.hpp"
#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/session.hpp"

namespace belfry::daemon::http {

// Small answers are collected until somebody flushes, large ones go out from where they are. A peer that does
// not keep up has a place among those that can be given up, with what it keeps in memory. Owner: the session.
// Lifecycle: as long as its connection. Cancellation: Shared::sessions, a deadline for each answer, and by
// being given up; each returns false, after which the connection is of no use.
class AnswerWriter {
 public:
  AnswerWriter(Shared& shared, Admission& admission, Connection& connection)
      : shared_(shared), admission_(admission), connection_(connection) {}
  AnswerWriter(const AnswerWriter&) = delete;
  AnswerWriter& operator=(const AnswerWriter&) = delete;

  // Takes the answer to `request`; its body is empty or shorter afterwards.
  Task<bool> send(Response& response, const Request& request);
  // Until everything that was taken is on its way.
  Task<bool> flush();
  Task<bool> send_now(std::string_view bytes);

 private:
  Task<bool> send_body(std::string& body);
  Task<bool> send_slowly(std::string_view bytes);

  Shared& shared_;
  Admission& admission_;
  Connection& connection_;
  std::string output_;         // answers that have not been sent
  std::size_t body_size_ = 0;  // of the one that is being sent and is not in output_
};

}  // namespace belfry::daemon::http
