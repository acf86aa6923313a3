#include "probes/databases/postgres_library.hpp"

#include "probes/databases/shared_library.hpp"

namespace belfry::probes {

namespace {

Result<PostgresLibrary> load() {
  auto from = SharedLibrary::load("libpq.so.5", "libpq5");
  if (!from) return std::unexpected(from.error());
  PostgresLibrary out;
  from->find(out.connect_start, "PQconnectStartParams");
  from->find(out.connect_poll, "PQconnectPoll");
  from->find(out.status, "PQstatus");
  from->find(out.socket, "PQsocket");
  from->find(out.error_message, "PQerrorMessage");
  from->find(out.set_nonblocking, "PQsetnonblocking");
  from->find(out.set_notice_processor, "PQsetNoticeProcessor");
  from->find(out.send_query, "PQsendQuery");
  from->find(out.set_single_row_mode, "PQsetSingleRowMode");
  from->find(out.flush, "PQflush");
  from->find(out.consume_input, "PQconsumeInput");
  from->find(out.is_busy, "PQisBusy");
  from->find(out.get_result, "PQgetResult");
  from->find(out.result_status, "PQresultStatus");
  from->find(out.result_error_field, "PQresultErrorField");
  from->find(out.clear, "PQclear");
  from->find(out.finish, "PQfinish");
  from->find(out.version, "PQlibVersion");
  if (auto all = from->complete(); !all) return std::unexpected(all.error());
  return out;
}

}  // namespace

Result<const PostgresLibrary*> PostgresLibrary::get() {
  static PostgresLibrary library;
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
