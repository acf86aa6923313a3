// How a session with PostgreSQL begins: the protocol's start-up (PostgreSQL 15, 55.2 and 55.7), and what its
// answers say of a server that may not take clients yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/protocols/dialogue.hpp"

namespace belfry::probes {

struct PostgresTerms {
  enum class Tls : std::uint8_t {
    none,
    preferred,  // plain, where the server has none
    required,
  };
  std::string user;
  std::string database = {};  // empty: the user's own, of which nothing is expected
  Tls tls = Tls::none;
};

// True when the server lets the session begin (it is ready for a query), or asks who the client is: it takes
// clients then, as PQping says. Not yet true: while it starts, recovers or shuts down (57P03), while it has
// no place for a client (53300), when it has no database of that name, or for any other reason that it gives.
// Who the client is does not matter (class 28): whoever wants to know that asks a query.
class PostgresSession final : public Dialogue {
 public:
  static constexpr std::size_t longest_message = std::size_t{64} << 10;

  explicit PostgresSession(PostgresTerms terms);
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

  PostgresTerms terms_;
  State state_ = State::started;
  std::string unread_;
};

}  // namespace belfry::probes
