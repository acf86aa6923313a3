// Who may pass from a port of loopback to the control socket, and what of a request the daemon gets to see.
//
// Everybody on this host can connect to the port, and any page can make a browser do so. So: a request must
// be for a name of loopback (DNS rebinding), may not come from another page, and must bring a secret in a
// header that no page of others can set and no browser sends by itself. A cookie would be no such thing:
// browsers send those of one port of a host to all of its ports. The link holds a key that is good once, for
// the secret, so that what is left of it in histories and on screens opens nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace belfry::relay {

struct Refusal {
  int status = 400;
  std::string detail;  // "cannot …"
};

// The head of a request (RFC 9112), as far as the gate looks at it.
struct Head {
  std::string method, target, host, origin, authorization;
  std::size_t body = 0;  // bytes that follow it
  // The same for the daemon: without what is the gate's alone, and with the word that nothing follows it.
  std::string forwarded;
};

inline constexpr std::size_t longest_head = 16384, longest_body = 65536;

// `text` ends with the empty line.
[[nodiscard]] std::expected<Head, Refusal> read_head(std::string_view text);

// Owner: the relay. Lifecycle: as long as it.
class Gate {
 public:
  // `key`: of the link. `secret`: what it is exchanged for.
  Gate(std::string key, std::string secret) : key_(std::move(key)), secret_(std::move(secret)) {}

  enum class Pass : std::uint8_t { to_daemon, secret };  // secret: is the answer
  [[nodiscard]] std::expected<Pass, Refusal> judge(const Head& head);
  [[nodiscard]] const std::string& secret() const { return secret_; }

 private:
  std::string key_;  // empty: it has been used
  std::string secret_;
};

// What a refused client gets: problem+json (RFC 9457), after which the connection is closed.
[[nodiscard]] std::string answer_of(const Refusal& refusal);
// 200 with a text.
[[nodiscard]] std::string answer_of(std::string_view text);

}  // namespace belfry::relay
