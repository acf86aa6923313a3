// libmariadb's functions, by the names that it gives them (MariaDB Connector/C 3.3, with its non-blocking
// API).
#pragma once

#include <mysql.h>

#include "probes/databases/shared_library.hpp"

namespace belfry::probes {

struct MysqlLibrary {
  static constexpr const char* file = "libmariadb.so.3";
  static constexpr const char* package = "libmariadb3";

  decltype(::mysql_init)* init = nullptr;
  decltype(::mysql_optionsv)* option = nullptr;
  decltype(::mysql_real_connect_start)* connect_start = nullptr;
  decltype(::mysql_real_connect_cont)* connect_continue = nullptr;
  decltype(::mysql_real_query_start)* query_start = nullptr;
  decltype(::mysql_real_query_cont)* query_continue = nullptr;
  decltype(::mysql_use_result)* use_result = nullptr;
  decltype(::mysql_fetch_row_start)* fetch_start = nullptr;
  decltype(::mysql_fetch_row_cont)* fetch_continue = nullptr;
  decltype(::mysql_free_result)* free_result = nullptr;
  decltype(::mysql_get_socket)* socket = nullptr;
  decltype(::mysql_get_ssl_cipher)* tls_cipher = nullptr;
  decltype(::mysql_errno)* error_number = nullptr;
  decltype(::mysql_error)* error = nullptr;
  decltype(::mysql_close)* close = nullptr;

  void find_in(SharedLibrary& from);
};

}  // namespace belfry::probes
