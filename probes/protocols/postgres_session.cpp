#include "probes/protocols/postgres_session.hpp"

#include <algorithm>
#include <utility>

#include "text/escape.hpp"

namespace belfry::probes {

namespace {

using Step = Dialogue::Step;

constexpr std::uint32_t protocol_3 = 196608;
constexpr std::uint32_t tls_please = 80877103;       // SSLRequest
constexpr std::uint32_t longest_modern = 30000;      // of an error; libpq believes no longer one either
constexpr std::string_view goodbye("X\0\0\0\4", 5);  // Terminate

std::unexpected<Error> stranger() { return std::unexpected(Error::failed("it does not speak PostgreSQL")); }
std::unexpected<Error> failed(std::string_view words) {
  return std::unexpected(Error::failed(text::visible(words.substr(0, 500))));
}

void append_number(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> static_cast<unsigned>(shift));
}

std::uint32_t number_at(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

// One field of an error: a letter, a text, a NUL (55.8). Empty: it has none of them.
std::string_view field(std::string_view error, char letter) {
  while (!error.empty() && error.front() != '\0') {
    const std::string_view text = error.substr(1, error.substr(1).find('\0'));
    if (error.front() == letter) return text;
    error.remove_prefix(std::min(text.size() + 2, error.size()));
  }
  return {};
}

}  // namespace

PostgresSession::PostgresSession(SessionTerms terms) : terms_(std::move(terms)) {}

Result<Step> PostgresSession::begin(std::string& say) {
  unread_.clear();
  if (terms_.tls == TlsWish::none) {
    start(say);
    return Step::listen;
  }
  state_ = State::asked_for_tls;
  append_number(say, 8);
  append_number(say, tls_please);
  return Step::listen;
}

void PostgresSession::start(std::string& say) {
  state_ = State::started;
  std::string body;
  append_number(body, protocol_3);
  const auto put = [&body](std::string_view key, std::string_view value) {
    body.append(key).append(1, '\0').append(value).append(1, '\0');
  };
  put("user", terms_.user);
  if (!terms_.database.empty()) put("database", terms_.database);
  put("application_name", "belfry");
  body += '\0';
  append_number(say, static_cast<std::uint32_t>(body.size() + 4));
  say += body;
}

Result<Step> PostgresSession::secured(std::string& say) {
  start(say);
  return Step::listen;
}

Result<Step> PostgresSession::hear(std::string_view bytes, std::string& say) {
  if (state_ == State::asked_for_tls) return hear_of_tls(bytes, say);
  unread_ += bytes;
  return read_messages();
}

// What comes behind the one letter was not said by whoever holds the certificate (CVE-2021-23222).
Result<Step> PostgresSession::hear_of_tls(std::string_view bytes, std::string& say) {
  if (bytes.empty()) return Step::listen;
  if (bytes.front() == 'E') {
    state_ = State::started;
    unread_ += bytes;
    return read_messages();
  }
  if (bytes.front() != 'S' && bytes.front() != 'N') return stranger();
  if (bytes.size() > 1)
    return failed("it says more before TLS begins than it may: somebody may have changed what it says");
  if (bytes.front() == 'S') return Step::start_tls;
  if (terms_.tls == TlsWish::required) return failed("it does not speak TLS");
  start(say);
  return Step::listen;
}

Result<Step> PostgresSession::read_messages() {
  while (!unread_.empty()) {
    const char type = unread_.front();
    constexpr std::string_view first("REvN"), later("REvNSKZ");
    if (!(state_ == State::started ? first : later).contains(type)) return stranger();
    if (unread_.size() < 5) return Step::listen;
    const std::uint32_t length = number_at(std::string_view(unread_).substr(1));
    // A postmaster that cannot make a process says so in the form of protocol 2: a text and a NUL.
    if (type == 'E' && (length < 8 || length > longest_modern)) {
      const std::size_t end = unread_.find('\0', 1);
      if (end == std::string::npos && unread_.size() <= longest_modern) return Step::listen;
      return failed(std::string_view(unread_).substr(1, end - 1));
    }
    if (length < 4 || length > longest_message) return stranger();
    if (unread_.size() < length + 1) return Step::listen;
    const Result<Step> step = take(type, std::string_view(unread_).substr(5, length - 4));
    if (!step || *step != Step::listen) return step;
    unread_.erase(0, length + 1);
  }
  return Step::listen;
}

Result<Step> PostgresSession::take(char type, std::string_view body) {
  switch (type) {
    case 'R': return take_authentication(body);
    case 'E': return judge(body);
    case 'Z': state_ = State::in_session; return Step::done;
    default: return Step::listen;  // notices, parameters, the key for cancelling
  }
}

Result<Step> PostgresSession::take_authentication(std::string_view body) {
  if (body.size() < 4) return stranger();
  if (number_at(body) != 0) return Step::done;
  state_ = State::admitted;
  return Step::listen;
}

Result<Step> PostgresSession::judge(std::string_view error) const {
  const std::string_view code = field(error, 'C');
  if (code.starts_with("28")) return Step::done;
  if (code == "3D000" && terms_.database.empty()) return Step::done;
  const std::string_view words = field(error, 'M');
  return failed(words.empty() ? "it gives an error without words" : words);
}

Result<Step> PostgresSession::ended() {
  if (state_ == State::admitted) return failed("it closed the connection before the session had begun");
  return Dialogue::ended();
}

std::string_view PostgresSession::farewell() const {
  return state_ == State::in_session ? goodbye : std::string_view();
}

}  // namespace belfry::probes
