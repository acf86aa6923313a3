// What a session asks for an answer: the seam between bytes and meaning.
//
// The session knows connections, limits and places. What a request means, and what it takes to answer it, is
// known to the handler, which sees no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "daemon/http/wire/body_stream.hpp"
#include "daemon/http/wire/caller.hpp"
#include "daemon/http/wire/message.hpp"

namespace belfry::daemon::http {

// What an answer that takes time is held up by; there are places for each kind (admission.hpp).
enum class Delay : std::uint8_t {
  wait,     // somebody waits for events
  command,  // something is being done
};

// An answer that takes time. It refers to nothing of its request.
class Deferred {
 public:
  explicit Deferred(Delay delay, std::size_t events = 0) : delay_(delay), events_(events) {}
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual ~Deferred() = default;

  [[nodiscard]] Delay delay() const { return delay_; }
  [[nodiscard]] std::size_t events() const { return events_; }  // that are waited for

  // Takes as long as it takes; called once, and outlives the call. A cancelled context ends it soon.
  virtual Task<Response> perform(Context& ctx) = 0;
  // The answer where nobody waits for the end: `perform` goes on by itself. Empty: the caller waits.
  virtual std::optional<Response> at_once() { return std::nullopt; }

 private:
  Delay delay_;
  std::size_t events_;
};

using Answer = std::variant<Response, std::unique_ptr<Deferred>, StreamedAnswer>;

enum class ConnectionEvent : std::uint8_t {
  accepted,
  refused,  // closed at once: no descriptor was left
  shed,     // given up for somebody else
  dropped,  // it followed a stream and did not keep up
  closed,   // one that was accepted, however it ended
};

// Outlives the server.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // Never waits itself.
  virtual Answer answer(const Request& request, const Caller& caller) = 0;
  // What never takes long, and what a supervisor asks to learn whether belfry lives: not kept waiting by
  // others.
  [[nodiscard]] virtual bool is_light(const Request& request) const = 0;

  // For whoever counts: an answer is about to be sent; something happened to a connection.
  virtual void answered(int status) = 0;
  virtual void happened(ConnectionEvent event) = 0;
  // What the one who runs the daemon should know, in words.
  virtual void remark(const std::string& text) = 0;
  // Something was thrown while a request was answered: a bug. Whoever asked has been told 500, if he still
  // could be; this is for the one who runs the daemon.
  virtual void broke(const Error& error) = 0;
};

}  // namespace belfry::daemon::http
