// How a session with PostgreSQL begins: the protocol's start-up (PostgreSQL 15, 55.2 and 55.7), and what its
// answers say of a server that may not take clients yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/protocols/dialogue.hpp"
#include "probes/protocols/session_terms.hpp"

namespace belfry::probes {

// True when the server lets the session begin (it is ready for a query), or asks who the client is: it takes
// clients then, as PQping says. Not yet true: while it starts, recovers or shuts down (57P03), while it has
// no place for a client (53300), when it has no database of that name, or for any other reason that it gives.
// Who the client is does not matter (class 28): whoever wants to know that asks a query.
class PostgresSession final : public Dialogue {
 public:
  static constexpr std::size_t longest_message = std::size_t{64} << 10;

  explicit PostgresSession(SessionTerms terms);
  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> secured(std::string& say) override;
  Result<Step> ended() override;
  [[nodiscard]] std::string_view farewell() const override;

 private:
  enum class State : std::uint8_t { asked_for_tls, started, admitted, in_session };
  Result<Step> hear_of_tls(std::string_view bytes, std::string& say);
  Result<Step> read_messages();
  Result<Step> take(char type, std::string_view body);
  Result<Step> take_authentication(std::string_view body);
  [[nodiscard]] Result<Step> judge(std::string_view error) const;
  void start(std::string& say);

  SessionTerms terms_;
  State state_ = State::started;
  std::string unread_;
};

}  // namespace belfry::probes
