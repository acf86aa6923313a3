// libpq on the loop: it says what it waits for, the loop waits (PostgreSQL 15, 34.1 and 34.4).
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "probes/databases/borrowed_socket.hpp"
#include "probes/databases/client.hpp"
#include "probes/databases/postgres_library.hpp"
#include "probes/databases/statement_limit.hpp"
#include "text/escape.hpp"

namespace belfry::probes {

namespace {

constexpr std::string_view authorities_of_host = "/etc/ssl/certs/ca-certificates.crt";  // Debian's

// The last line that is no advice, which is indented, without the place, which the caller names:
// `connection to server at "::1", port 5432 failed: FATAL:  …`.
Error in_words(const char* message) {
  std::string_view words = message == nullptr ? "" : message;
  while (words.ends_with('\n') || words.ends_with(' ')) words.remove_suffix(1);
  std::size_t line = words.rfind('\n');
  while (line != std::string_view::npos && words.substr(line).starts_with("\n\t")) {
    words = words.substr(0, line);
    line = words.rfind('\n');
  }
  words.remove_prefix(line == std::string_view::npos ? 0 : line + 1);
  if (const auto failed = words.find(" failed: ");
      words.starts_with("connection to server") && failed != std::string_view::npos)
    words.remove_prefix(failed + 9);
  for (const std::string_view severity : {"FATAL:  ", "ERROR:  "})
    if (words.starts_with(severity)) words.remove_prefix(severity.size());
  return Error::failed(words.empty() ? "libpq gives no reason" : text::visible(words.substr(0, 500)));
}

class PostgresClient final : public DatabaseClient {
 public:
  PostgresClient(Loop& loop, const PostgresLibrary& library, Login login)
      : pq_(library), login_(login), peer_(loop, login.judge) {}
  ~PostgresClient() override {
    if (connection_ != nullptr) pq_.finish(connection_);
  }
  PostgresClient(const PostgresClient&) = delete;
  PostgresClient& operator=(const PostgresClient&) = delete;

  Task<Result<void>> log_in(Context& ctx, std::vector<Endpoint> where) override;
  Task<Result<void>> ask(Context& ctx, std::string query) override;

 private:
  void set(std::string_view key, std::string value);
  void set_default(std::string_view key, std::string value);
  void set_all(const std::vector<Endpoint>& where, std::optional<std::int64_t> limit);
  void set_tls();
  void start();
  Task<Result<void>> send(Context& ctx, const std::string& query);
  [[nodiscard]] Result<void> judge_first_result();
  [[nodiscard]] std::unexpected<Error> failed() const {
    return std::unexpected(in_words(pq_.error_message(connection_)));
  }

  const PostgresLibrary& pq_;
  Login login_;
  PeerCheck peer_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  PGconn* connection_ = nullptr;
};

void PostgresClient::set(std::string_view key, std::string value) {
  std::erase_if(parameters_, [&](const auto& parameter) { return parameter.first == key; });
  parameters_.emplace_back(key, std::move(value));
}

void PostgresClient::set_default(std::string_view key, std::string value) {
  const auto is_it = [&](const auto& parameter) { return parameter.first == key; };
  if (std::ranges::none_of(parameters_, is_it)) parameters_.emplace_back(key, std::move(value));
}

// The addresses are given, so that the library resolves nothing itself; what it would take from the
// environment or read from the home directory is given as well.
void PostgresClient::set_all(const std::vector<Endpoint>& where, std::optional<std::int64_t> limit) {
  const config::DatabaseAddress& address = login_.address;
  parameters_ = address.parameters;
  std::erase_if(parameters_, [](const auto& parameter) { return parameter.first == "hostaddr"; });
  const config::DatabaseHost& host = login_.host;
  const bool has_other_name = login_.tls != nullptr && !login_.tls->server_name.empty();
  const std::string& name = has_other_name ? login_.tls->server_name : host.name;
  std::string names, addresses;
  for (const Endpoint& endpoint : where) {
    names += (addresses.empty() ? "" : ",") + (name.empty() ? host.address : name);
    addresses += (addresses.empty() ? "" : ",") + endpoint.address().to_string();
  }
  set("host", where.empty() ? host.name : names);
  if (!where.empty()) set("hostaddr", addresses);
  set("port", std::to_string(host.port));
  set_default("user", "postgres");
  set("dbname", !address.database.empty() ? address.database
                : !address.user.empty()   ? address.user
                                          : "postgres");
  set_default("application_name", "belfry");
  if (limit) set_default("options", "-c statement_timeout=" + std::to_string(*limit));
  set_default("sslmode", "prefer");
  set_default("gssencmode", "disable");              // Kerberos asks others, and waits for them
  set_default("passfile", "/dev/null/no-passfile");  // not ~/.pgpass
  set_tls();
}

void PostgresClient::set_tls() {
  if (login_.tls == nullptr || !login_.host.socket_path.empty()) return;
  const config::TlsOptions& tls = *login_.tls;
  set("sslmode", tls.verify ? "verify-full" : "require");
  if (!tls.ca.empty())
    set("sslrootcert", tls.ca);
  else if (tls.verify)
    set("sslrootcert", pq_.version() >= 160000 ? "system" : std::string(authorities_of_host));
  if (tls.cert.empty()) return;
  set("sslcert", tls.cert);
  set("sslkey", tls.key.empty() ? tls.cert : tls.key);
}

void PostgresClient::start() {
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : parameters_) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = pq_.connect_start(keys.data(), values.data(), 0);
  if (connection_ == nullptr) return;
  pq_.set_notice_processor(connection_, [](void*, const char*) {}, nullptr);  // it would print them
}

Task<Result<void>> PostgresClient::log_in(Context& ctx, std::vector<Endpoint> where) {
  set_all(where, statement_limit(ctx));
  start();
  if (connection_ == nullptr) co_return std::unexpected(Error::failed("libpq has no memory left"));
  if (pq_.status(connection_) == CONNECTION_BAD) co_return failed();
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
    const Direction direction = state == PGRES_POLLING_READING ? Direction::read : Direction::write;
    Result<void> good = co_await wait_for(ctx, pq_.socket(connection_), direction);
    if (good) good = co_await peer_.check(ctx, pq_.socket(connection_));
    if (!good) co_return good;
    state = pq_.connect_poll(connection_);
    if (state == PGRES_POLLING_FAILED) co_return failed();
  }
  co_return Result<void>{};
}

Task<Result<void>> PostgresClient::send(Context& ctx, const std::string& query) {
  if (pq_.set_nonblocking(connection_, 1) != 0 || pq_.send_query(connection_, query.c_str()) == 0)
    co_return failed();
  (void)pq_.set_single_row_mode(connection_);  // a result of a million rows is not kept
  for (;;) {
    const int left = pq_.flush(connection_);
    if (left == 0) co_return Result<void>{};
    if (left < 0) co_return failed();
    Result<void> waited = co_await wait_for(ctx, pq_.socket(connection_), Direction::write);
    if (!waited) co_return waited;
  }
}

Task<Result<void>> PostgresClient::ask(Context& ctx, std::string query) {
  Result<void> sent = co_await send(ctx, query);
  if (!sent) co_return sent;
  while (pq_.is_busy(connection_) != 0) {
    Result<void> waited = co_await wait_for(ctx, pq_.socket(connection_), Direction::read);
    if (!waited) co_return waited;
    if (pq_.consume_input(connection_) == 0) co_return failed();
  }
  co_return judge_first_result();
}

Result<void> PostgresClient::judge_first_result() {
  const std::unique_ptr<PGresult, decltype(pq_.clear)> result(pq_.get_result(connection_), pq_.clear);
  if (!result) return failed();
  switch (pq_.result_status(result.get())) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK: return {};
    case PGRES_EMPTY_QUERY: return std::unexpected(Error::failed("the query is empty"));
    case PGRES_FATAL_ERROR: {
      const char* const words = pq_.result_error_field(result.get(), PG_DIAG_MESSAGE_PRIMARY);
      return words == nullptr ? failed() : std::unexpected(in_words(words));
    }
    default: return std::unexpected(Error::failed("the query wants more than to be asked (COPY?)"));
  }
}

}  // namespace

Result<std::unique_ptr<DatabaseClient>> make_postgres_client(Loop& loop, Login login) {
  const auto library = the_library<PostgresLibrary>();
  if (!library) return std::unexpected(library.error());
  return std::make_unique<PostgresClient>(loop, **library, login);
}

}  // namespace belfry::probes
