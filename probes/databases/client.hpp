// A database asked as its clients ask it, with the library that they use.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "config/model/database_address.hpp"
#include "config/model/model.hpp"
#include "probes/databases/peer_check.hpp"
#include "probes/net/resolver.hpp"

namespace belfry::probes {

// As whom, and how. Outlives the client.
struct Login {
  const config::DatabaseAddress& address;
  const config::DatabaseHost& host;
  const config::TlsOptions* tls = nullptr;  // null: as the address says
  PeerJudge judge = {};                     // asked before anything is said
};

// Owner: one check. Lifecycle: log_in() once, then ask(); destroying it ends the session.
// Cancellation: both end within a turn of their context's cancellation, with that cause; the client is then
//   good for nothing but to be destroyed.
// Errors are the words of the server or of the library, and say not with whom.
class DatabaseClient {
 public:
  virtual ~DatabaseClient() = default;
  // `where`: the addresses of the host, tried in this order; none when it is a unix socket.
  virtual Task<Result<void>> log_in(Context& ctx, std::vector<Endpoint> where) = 0;
  // True once the server has given a first row, or has done what has none.
  virtual Task<Result<void>> ask(Context& ctx, std::string query) = 0;
};

// The library is loaded with the first client. The error says what has to be installed: "libpq.so.5 is not
// installed: apt install libpq5, or remove `query:`".
Result<std::unique_ptr<DatabaseClient>> make_postgres_client(Loop& loop, Login login);
Result<std::unique_ptr<DatabaseClient>> make_mysql_client(Loop& loop, Login login);

}  // namespace belfry::probes
