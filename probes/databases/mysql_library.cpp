#include "probes/databases/mysql_library.hpp"

namespace belfry::probes {

void MysqlLibrary::find_in(SharedLibrary& from) {
  from.find(init, "mysql_init");
  from.find(option, "mysql_optionsv");
  from.find(connect_start, "mysql_real_connect_start");
  from.find(connect_continue, "mysql_real_connect_cont");
  from.find(query_start, "mysql_real_query_start");
  from.find(query_continue, "mysql_real_query_cont");
  from.find(use_result, "mysql_use_result");
  from.find(fetch_start, "mysql_fetch_row_start");
  from.find(fetch_continue, "mysql_fetch_row_cont");
  from.find(free_result, "mysql_free_result");
  from.find(socket, "mysql_get_socket");
  from.find(tls_cipher, "mysql_get_ssl_cipher");
  from.find(error_number, "mysql_errno");
  from.find(error, "mysql_error");
  from.find(close, "mysql_close");
}

}  // namespace belfry::probes
