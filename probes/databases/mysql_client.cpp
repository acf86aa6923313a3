// libmariadb on the loop: its non-blocking calls stop where they would wait, the loop waits and has them go
// on.
#include <errmsg.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "probes/databases/borrowed_socket.hpp"
#include "probes/databases/client.hpp"
#include "probes/databases/mysql_library.hpp"
#include "probes/databases/statement_limit.hpp"
#include "text/escape.hpp"

namespace belfry::probes {

namespace {

// Bytes of a row, or of anything else in one piece. A server has this limit unless it is configured
// otherwise; the library's own is 1 GiB.
constexpr std::size_t largest_packet = std::size_t{16} << 20;

class MysqlClient final : public DatabaseClient {
 public:
  MysqlClient(Loop& loop, const MysqlLibrary& library, Login login)
      : loop_(loop), my_(library), login_(login), peer_(loop, login.judge) {}
  ~MysqlClient() override { close(); }
  MysqlClient(const MysqlClient&) = delete;
  MysqlClient& operator=(const MysqlClient&) = delete;

  Task<Result<void>> log_in(Context& ctx, std::vector<Endpoint> where) override;
  Task<Result<void>> ask(Context& ctx, std::string query) override;

 private:
  void open(std::optional<std::int64_t> limit);
  void limit_statements(std::int64_t milliseconds);
  void close();
  void set_tls();
  [[nodiscard]] bool lacks_tls() const;
  [[nodiscard]] bool is_out_of_reach() const;
  Task<Result<void>> connect(Context& ctx, std::string host);
  Task<Result<void>> read_first_row(Context& ctx);
  Task<Result<void>> wait(Context& ctx);
  [[nodiscard]] std::unexpected<Error> failed() const {
    const std::string_view words = my_.error(session_);
    return std::unexpected(
        Error::failed(words.empty() ? "libmariadb gives no reason" : text::visible(words.substr(0, 500))));
  }

  Loop& loop_;
  const MysqlLibrary& my_;
  Login login_;
  PeerCheck peer_;
  MYSQL* session_ = nullptr;
  MYSQL_RES* result_ = nullptr;
  bool has_unread_rows_ = false;
  int waits_ = 0;  // for what, the call that is in progress; 0: none is
};

void MysqlClient::open(std::optional<std::int64_t> limit) {
  close();
  session_ = my_.init(nullptr);
  if (session_ == nullptr) return;
  my_.option(session_, MYSQL_OPT_NONBLOCK, nullptr);
  my_.option(session_, MYSQL_OPT_MAX_ALLOWED_PACKET, &largest_packet);
  const unsigned none = 0;  // a server may ask for any file that belfry may read
  my_.option(session_, MYSQL_OPT_LOCAL_INFILE, &none);
  set_tls();
  if (limit) limit_statements(*limit);
}

// The one variable is MariaDB's, the other MySQL's, and each takes the other's for a comment.
void MysqlClient::limit_statements(std::int64_t milliseconds) {
  const std::string set = "SET SESSION wait_timeout=60/*M!100101 , max_statement_time=" +
                          std::to_string(static_cast<double>(milliseconds) / 1000) +
                          "*//*!50708 , max_execution_time=" + std::to_string(milliseconds) + "*/";
  my_.option(session_, MYSQL_INIT_COMMAND, set.c_str());
}

void MysqlClient::set_tls() {
  using Mode = config::SslMode;
  if (!login_.host.socket_path.empty()) return;
  const config::DatabaseAddress& address = login_.address;
  // Whatever its name says: it goes on without TLS where the server has none.
  my_bool enforce = login_.tls != nullptr || address.ssl >= Mode::prefer ? 1 : 0;
  my_bool verify = login_.tls != nullptr ? login_.tls->verify : address.ssl >= Mode::verify_ca;
  const std::string& ca = login_.tls != nullptr ? login_.tls->ca : address.ca;
  if (enforce != 0) my_.option(session_, MYSQL_OPT_SSL_ENFORCE, &enforce);
  my_.option(session_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!ca.empty()) my_.option(session_, MYSQL_OPT_SSL_CA, ca.c_str());
  if (login_.tls == nullptr || login_.tls->cert.empty()) return;
  const std::string& key = login_.tls->key.empty() ? login_.tls->cert : login_.tls->key;
  my_.option(session_, MYSQL_OPT_SSL_CERT, login_.tls->cert.c_str());
  my_.option(session_, MYSQL_OPT_SSL_KEY, key.c_str());
}

bool MysqlClient::lacks_tls() const {
  const bool is_wanted = login_.tls != nullptr || login_.address.ssl >= config::SslMode::require;
  return is_wanted && login_.host.socket_path.empty() && my_.tls_cipher(session_) == nullptr;
}

// The library itself says so; what a server has said, of the login say, another address does not mend.
bool MysqlClient::is_out_of_reach() const {
  const unsigned number = session_ == nullptr ? 0 : my_.error_number(session_);
  return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) || number >= CER_MIN_ERROR;
}

// A call that was given up in its middle, and rows that nobody reads, would be waited for by the library:
// once the socket is dead there is nothing to wait for.
void MysqlClient::close() {
  if (session_ == nullptr) return;
  if (waits_ != 0 || has_unread_rows_) shut_down(loop_, my_.socket(session_));
  if (result_ != nullptr && waits_ == 0) my_.free_result(result_);
  my_.close(session_);
  session_ = nullptr;
  result_ = nullptr;
  has_unread_rows_ = false;
  waits_ = 0;
}

Task<Result<void>> MysqlClient::wait(Context& ctx) {
  const Direction direction = (waits_ & MYSQL_WAIT_READ) != 0 ? Direction::read : Direction::write;
  Result<void> waited = co_await wait_for(ctx, my_.socket(session_), direction);
  co_return waited;
}

Task<Result<void>> MysqlClient::log_in(Context& ctx, std::vector<Endpoint> where) {
  Result<void> connected;
  if (where.empty()) connected = co_await connect(ctx, {});
  for (const Endpoint& endpoint : where) {
    std::string host = endpoint.address().to_string();
    connected = co_await connect(ctx, std::move(host));
    if (connected || ctx.cancelled() || !is_out_of_reach()) break;
  }
  co_return connected;
}

Task<Result<void>> MysqlClient::connect(Context& ctx, std::string host) {
  open(statement_limit(ctx));
  if (session_ == nullptr) co_return std::unexpected(Error::failed("libmariadb has no memory left"));
  const config::DatabaseAddress& to = login_.address;
  const std::string& socket = login_.host.socket_path;
  const char* const database = to.database.empty() ? nullptr : to.database.c_str();
  const std::string user = to.user.empty() ? "belfry" : to.user;
  MYSQL* connected = nullptr;
  waits_ = my_.connect_start(&connected, session_, host.empty() ? nullptr : host.c_str(), user.c_str(),
                             to.password.c_str(), database, login_.host.port,
                             socket.empty() ? nullptr : socket.c_str(), 0);
  while (waits_ != 0) {
    Result<void> good = co_await wait(ctx);
    if (good) good = co_await peer_.check(ctx, my_.socket(session_));
    if (!good) co_return good;
    waits_ = my_.connect_continue(&connected, session_, waits_ & ~MYSQL_WAIT_EXCEPT);
  }
  if (connected == nullptr) co_return failed();
  if (lacks_tls()) co_return std::unexpected(Error::failed("it does not speak TLS"));
  co_return Result<void>{};
}

Task<Result<void>> MysqlClient::ask(Context& ctx, std::string query) {
  int went_wrong = 0;
  waits_ = my_.query_start(&went_wrong, session_, query.data(), query.size());
  while (waits_ != 0) {
    Result<void> waited = co_await wait(ctx);
    if (!waited) co_return waited;
    waits_ = my_.query_continue(&went_wrong, session_, waits_);
  }
  if (went_wrong != 0) co_return failed();
  Result<void> read = co_await read_first_row(ctx);
  co_return read;
}

// A first row and what follows it, mostly the end: then the session can be ended as is usual. Those behind
// are not read, because one that is there is read without a wait, and a server may have no end of them.
Task<Result<void>> MysqlClient::read_first_row(Context& ctx) {
  result_ = my_.use_result(session_);
  if (result_ == nullptr) {
    if (my_.error_number(session_) != 0) co_return failed();
    co_return Result<void>{};  // it has no rows
  }
  has_unread_rows_ = true;
  for (int i = 0; i < 2; ++i) {
    MYSQL_ROW row = nullptr;
    waits_ = my_.fetch_start(&row, result_);
    while (waits_ != 0) {
      Result<void> waited = co_await wait(ctx);
      if (!waited) co_return waited;
      waits_ = my_.fetch_continue(&row, result_, waits_);
    }
    if (row != nullptr) continue;
    has_unread_rows_ = false;
    if (my_.error_number(session_) != 0) co_return failed();
    co_return Result<void>{};
  }
  co_return Result<void>{};
}

}  // namespace

Result<std::unique_ptr<DatabaseClient>> make_mysql_client(Loop& loop, Login login) {
  const auto library = the_library<MysqlLibrary>();
  if (!library) return std::unexpected(library.error());
  return std::make_unique<MysqlClient>(loop, **library, login);
}

}  // namespace belfry::probes
