// libpq's functions, by the names that it gives them (PostgreSQL 15, chapter 34).
#pragma once

#include <libpq-fe.h>

#include "probes/databases/shared_library.hpp"

namespace belfry::probes {

struct PostgresLibrary {
  static constexpr const char* file = "libpq.so.5";
  static constexpr const char* package = "libpq5";

  decltype(::PQconnectStartParams)* connect_start = nullptr;
  decltype(::PQconnectPoll)* connect_poll = nullptr;
  decltype(::PQstatus)* status = nullptr;
  decltype(::PQsocket)* socket = nullptr;
  decltype(::PQerrorMessage)* error_message = nullptr;
  decltype(::PQsetnonblocking)* set_nonblocking = nullptr;
  decltype(::PQsetNoticeProcessor)* set_notice_processor = nullptr;
  decltype(::PQsendQuery)* send_query = nullptr;
  decltype(::PQsetSingleRowMode)* set_single_row_mode = nullptr;
  decltype(::PQflush)* flush = nullptr;
  decltype(::PQconsumeInput)* consume_input = nullptr;
  decltype(::PQisBusy)* is_busy = nullptr;
  decltype(::PQgetResult)* get_result = nullptr;
  decltype(::PQresultStatus)* result_status = nullptr;
  decltype(::PQresultErrorField)* result_error_field = nullptr;
  decltype(::PQclear)* clear = nullptr;
  decltype(::PQfinish)* finish = nullptr;
  decltype(::PQlibVersion)* version = nullptr;

  void find_in(SharedLibrary& from);
};

}  // namespace belfry::probes
