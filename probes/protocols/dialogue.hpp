// What is said to a server and what is made of its answers, as a machine without a socket.
//
// The problem: a protocol that reads for itself can only be tried against a server, waits in its own way and
// is cut off where its reads happen to end. Here it is given bytes, in whatever pieces they come, and says
// what to send; the one loop that waits is in probes/dialogue_probe.cpp. Tests and fuzzers need neither
// server nor loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::probes {

// Owner: a probe. Lifecycle: begin() begins a new conversation and forgets the last one; hear(), ended() and
//   secured() as things happen, until the outcome is known. Bounded: it keeps what it needs and no more, and
//   the probe ends one that hears too much.
// Errors say what is wrong, and not with whom: "the server is starting up". Thread rules: none.
class Dialogue {
 public:
  enum class Step : std::uint8_t {
    listen,     // more has to come
    start_tls,  // both sides have agreed to go on within TLS
    done,       // it is ready
  };

  virtual ~Dialogue() = default;
  // Connected; within TLS, where that comes first. What is to be said is appended to `say`, here and below.
  virtual Result<Step> begin(std::string& say) = 0;
  virtual Result<Step> hear(std::string_view bytes, std::string& say) = 0;
  // TLS stands, as was asked for by start_tls.
  virtual Result<Step> secured(std::string& say) {
    (void)say;
    return Step::listen;
  }
  // The server has closed its side.
  virtual Result<Step> ended() {
    return std::unexpected(Error::failed("it closed the connection without an answer"));
  }
  // Said when it is known, and not waited for: a polite end ("QUIT"). Empty: there is none.
  [[nodiscard]] virtual std::string_view farewell() const { return {}; }
  // Whether the connection, after `done`, may be used again for the next conversation.
  [[nodiscard]] virtual bool may_go_on() const { return false; }
};

}  // namespace belfry::probes
