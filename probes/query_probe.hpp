// `postgres` and `mysql` with `query:`: logs in as the client would, and asks.
#pragma once

#include <string>

#include "config/model/database_address.hpp"
#include "probes/databases/client.hpp"
#include "probes/dialogue_probe.hpp"
#include "probes/local_owner.hpp"
#include "probes/probe.hpp"

namespace belfry::probes {

using ClientMaker = Result<std::unique_ptr<DatabaseClient>> (*)(Loop& loop, Login login);

struct Question {
  config::DatabaseAddress address;
  config::DatabaseHost host;
  std::optional<config::TlsOptions> tls;  // empty: as the address says
  std::string query;
  std::string what;  // of messages: "cannot ask PostgreSQL at 127.0.0.1:5432"
  ClientMaker make;
};

// True when the query succeeds, whatever it answers. Every check is a session of its own.
// Owner: the incarnation it asks about. Lifecycle and Cancellation: as every Probe.
class QueryProbe final : public Probe {
 public:
  QueryProbe(NetMeans means, Question question, LocalOwner owner);
  Task<CheckResult> check(Context& ctx) override;

 private:
  Task<CheckResult> ask(Context& ctx, std::vector<Endpoint> where);
  [[nodiscard]] std::unexpected<Error> failed(const Error& why) const {
    return std::unexpected(why.wrap(question_.what));
  }

  NetMeans means_;
  Question question_;
  LocalOwner owner_;
};

}  // namespace belfry::probes
