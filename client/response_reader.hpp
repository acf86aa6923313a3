// Reads one response out of the pieces in which it comes. No socket: whoever has one does the waiting.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "client/reply.hpp"

namespace belfry::client {

// Owner: whoever asked. Lifecycle: take() what comes until done(); then reply(), once.
// Bounded: a head of 8 KiB, a body of 1 GiB.
class ResponseReader {
 public:
  ResponseReader();
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  [[nodiscard]] bool done() const;
  // Empty: there is nothing wrong with it so far.
  std::string take(std::string_view bytes);
  // The peer has closed: that is the end of a body without a length, and of nothing else.
  std::string take_end();
  Reply reply();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace belfry::client
