// HTTP/1.1 messages out of bytes. The grammar is Boost.Beast's, kept behind these two types: its headers
// are compiled once, and a test feeds a parser without a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/http/wire/message.hpp"

namespace belfry::daemon::http {

struct ParserLimits {
  std::size_t head = std::size_t{8} * 1024;  // request line and headers
  std::size_t body = std::size_t{64} * 1024;
};

enum class ParseState : std::uint8_t { need_more, complete, refused };

// Reads the requests of one connection, one after the other.
// Owner: the session. Lifecycle: one per connection; reset() between requests. Cancellation: none, it never
// waits.
class RequestParser {
 public:
  explicit RequestParser(ParserLimits limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes what has been received and not been consumed yet; sets `consumed` to the bytes that it is through
  // with. After need_more the rest must be offered again, with more behind it. After complete, request() is
  // valid until reset(), and what follows belongs to the next request. After refused, so is refusal().
  ParseState feed(std::string_view bytes, std::size_t& consumed);
  [[nodiscard]] const Request& request() const;
  // Why the bytes are not a request: 400, 413, 431, 501 or 505; the connection has to be closed after it.
  [[nodiscard]] Response refusal() const;
  // The head has been read, the body has not, and the client waits for "100 Continue" before it sends it.
  [[nodiscard]] bool wants_continue() const;
  // Bytes of a request have been seen that is not complete.
  [[nodiscard]] bool begun() const;
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace belfry::daemon::http
