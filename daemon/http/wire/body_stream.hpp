// A body that comes to be while it is sent: events, lines of a log.
//
// The problem: whoever follows what happens is answered for hours, may stop reading at any moment, and there
// are many of them. So a stream keeps nothing for its reader but a place in what it reads from: it is asked
// for the next piece when the reader has taken the last one, and says how far that has left him behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "daemon/http/wire/message.hpp"

namespace belfry::daemon::http {

// Owner: the session that sends it. Lifecycle: asked from its first piece to its end, or until the reader has
// gone. Cancellation: of a wait for news.
class BodyStream {
 public:
  enum class Next : std::uint8_t {
    more,     // there is more to be said at once
    nothing,  // not before there is news
    end,      // never again
  };

  virtual ~BodyStream() = default;
  // Appends the next piece: whole messages, about `room` bytes of them, and at least one if there is any.
  virtual Next fill(std::string& out, std::size_t room) = 0;
  // Until fill() may have something to say. The error: the cause of `ctx`.
  virtual Task<Result<void>> news(Context& ctx) = 0;
  // About how many bytes there are to be said.
  [[nodiscard]] virtual std::size_t backlog() const = 0;
  // For a reader to see that the connection lives when nothing happens.
  [[nodiscard]] virtual std::string_view heartbeat() const = 0;
  // The last words to one who was left too far behind, and has to come again.
  virtual void append_farewell(std::string& out) = 0;
};

// `head` has the status and the type; its body is not sent.
struct StreamedAnswer {
  Response head;
  std::unique_ptr<BodyStream> body;
};

}  // namespace belfry::daemon::http
