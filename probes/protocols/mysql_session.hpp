// How a session with MySQL or MariaDB begins: the greeting and a login (MySQL's internals manual, "Connection
// Phase"; MariaDB's "Connecting").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/protocols/dialogue.hpp"
#include "probes/protocols/session_terms.hpp"

namespace belfry::probes {

// True when the server lets the client in, or says that it would not let this one in: it takes clients then.
// Not true when it has no place for one, refuses the host, has no database of that name, or gives any other
// error.
//
// The greeting alone would tell as much, but a client that goes away without having logged in counts as a
// broken connection, and after `max_connect_errors` of them the server lets nobody from this host in any more
// (ERROR 1129). A login that is denied does not count. So the talk always goes on to the verdict.
class MysqlSession final : public Dialogue {
 public:
  static constexpr std::size_t longest_packet = std::size_t{64} << 10;

  explicit MysqlSession(SessionTerms terms);
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> secured(std::string& say) override;
  Result<Step> ended() override;
  [[nodiscard]] std::string_view farewell() const override;

 private:
  enum class State : std::uint8_t { greeting, securing, login, in_session };
  Result<Step> take(std::string_view packet, std::string& say);
  Result<Step> take_greeting(std::string_view packet, std::string& say);
  Result<Step> take_verdict(std::string_view packet, std::string& say);
  [[nodiscard]] Result<Step> judge(std::string_view error) const;
  void append_packet(std::string& say, std::string_view payload);
  void append_login(std::string& say);
  [[nodiscard]] std::string head_of_login() const;

  SessionTerms terms_;
  State state_ = State::greeting;
  std::uint8_t sequence_ = 0;  // of the next packet, whoever sends it
  unsigned answers_ = 0;       // to what the server asked beside the login
  std::uint32_t capabilities_ = 0;
  std::string unread_;
};

}  // namespace belfry::probes
