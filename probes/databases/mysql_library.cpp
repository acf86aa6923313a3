#include "probes/databases/mysql_library.hpp"

#include "probes/databases/shared_library.hpp"

namespace belfry::probes {

namespace {

Result<MysqlLibrary> load() {
  auto from = SharedLibrary::load("libmariadb.so.3", "libmariadb3");
  if (!from) return std::unexpected(from.error());
  MysqlLibrary out;
  from->find(out.init, "mysql_init");
  from->find(out.option, "mysql_optionsv");
  from->find(out.connect_start, "mysql_real_connect_start");
  from->find(out.connect_continue, "mysql_real_connect_cont");
  from->find(out.query_start, "mysql_real_query_start");
  from->find(out.query_continue, "mysql_real_query_cont");
  from->find(out.use_result, "mysql_use_result");
  from->find(out.fetch_start, "mysql_fetch_row_start");
  from->find(out.fetch_continue, "mysql_fetch_row_cont");
  from->find(out.free_result, "mysql_free_result");
  from->find(out.socket, "mysql_get_socket");
  from->find(out.error_number, "mysql_errno");
  from->find(out.error, "mysql_error");
  from->find(out.close, "mysql_close");
  if (auto all = from->complete(); !all) return std::unexpected(all.error());
  return out;
}

}  // namespace

Result<const MysqlLibrary*> MysqlLibrary::get() {
  static MysqlLibrary library;
  static bool is_loaded = false;
  if (!is_loaded) {
    auto loaded = load();
    if (!loaded) return std::unexpected(loaded.error());
    library = *loaded;
    is_loaded = true;
  }
  return &library;
}

}  // namespace belfry::probes
