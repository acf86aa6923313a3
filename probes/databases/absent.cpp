// A belfry without the libraries of databases: a static program cannot load any.
#include "probes/databases/client.hpp"

namespace belfry::probes {

namespace {

std::unexpected<Error> absent(const std::string& library) {
  return std::unexpected(
      Error(Error::Kind::invalid, "this belfry is linked statically and cannot load " + library +
                                      ": remove `query:`, or use the belfry that is not static"));
}

}  // namespace

Result<std::unique_ptr<DatabaseClient>> make_postgres_client(Loop&, Login) { return absent("libpq.so.5"); }
Result<std::unique_ptr<DatabaseClient>> make_mysql_client(Loop&, Login) { return absent("libmariadb.so.3"); }

}  // namespace belfry::probes
