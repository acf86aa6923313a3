#include "probes/databases/postgres_library.hpp"

namespace belfry::probes {

void PostgresLibrary::find_in(SharedLibrary& from) {
  from.find(connect_start, "PQconnectStartParams");
  from.find(connect_poll, "PQconnectPoll");
  from.find(status, "PQstatus");
  from.find(socket, "PQsocket");
  from.find(error_message, "PQerrorMessage");
  from.find(set_nonblocking, "PQsetnonblocking");
  from.find(set_notice_processor, "PQsetNoticeProcessor");
  from.find(send_query, "PQsendQuery");
  from.find(set_single_row_mode, "PQsetSingleRowMode");
  from.find(flush, "PQflush");
  from.find(consume_input, "PQconsumeInput");
  from.find(is_busy, "PQisBusy");
  from.find(get_result, "PQgetResult");
  from.find(result_status, "PQresultStatus");
  from.find(result_error_field, "PQresultErrorField");
  from.find(clear, "PQclear");
  from.find(finish, "PQfinish");
  from.find(version, "PQlibVersion");
}

}  // namespace belfry::probes
