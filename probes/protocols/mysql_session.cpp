#include "probes/protocols/mysql_session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "text/escape.hpp"

namespace belfry::probes {

namespace {

using Step = Dialogue::Step;

// Capabilities.
constexpr std::uint32_t long_password = 1, with_database = 8, protocol_41 = 512, tls = 2048,
                        secure_connection = 0x8000, plugin_auth = 0x80000;
constexpr std::uint32_t largest_packet = 1U << 24U;
constexpr char utf8 = 33;  // the collation utf8_general_ci, which every version knows
constexpr unsigned most_answers = 4;
constexpr std::string_view goodbye("\1\0\0\0\1", 5);  // COM_QUIT

// Errors that say who the client is not: access denied (also to the database, also without a password), a way
// of logging in that is not spoken here, an expired password, a locked account.
constexpr std::array<unsigned, 8> of_identity{1044, 1045, 1251, 1275, 1698, 1862, 3118, 4151};

std::unexpected<Error> stranger() { return std::unexpected(Error::failed("it does not speak MySQL")); }
std::unexpected<Error> failed(std::string_view words) {
  return std::unexpected(Error::failed(text::visible(words)));
}

std::uint32_t number_at(std::string_view bytes, std::size_t length) {
  std::uint32_t value = 0;
  for (std::size_t i = std::min(length, bytes.size()); i > 0; --i)
    value = value << 8U | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

void append_number(std::string& out, std::uint32_t value, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i, value >>= 8U) out += static_cast<char>(value);
}

}  // namespace

MysqlSession::MysqlSession(SessionTerms terms) : terms_(std::move(terms)) {}

Result<Step> MysqlSession::begin(std::string&) {
  state_ = State::greeting;
  sequence_ = 0;
  answers_ = 0;
  unread_.clear();
  return Step::listen;  // the server speaks first
}

Result<Step> MysqlSession::hear(std::string_view bytes, std::string& say) {
  unread_ += bytes;
  while (unread_.size() >= 4) {
    const std::uint32_t length = number_at(unread_, 3);
    if (length == 0 || length > longest_packet) return stranger();
    if (static_cast<std::uint8_t>(unread_[3]) != sequence_) return stranger();
    if (state_ == State::greeting && unread_.size() > 4 && unread_[4] != '\x0a' && unread_[4] != '\xff')
      return stranger();
    if (unread_.size() < length + 4) return Step::listen;
    const std::string packet = unread_.substr(4, length);
    unread_.erase(0, length + 4);
    ++sequence_;
    const Result<Step> step = take(packet, say);
    if (!step || *step != Step::listen) return step;
  }
  return Step::listen;
}

Result<Step> MysqlSession::take(std::string_view packet, std::string& say) {
  if (packet.front() == '\xff') return judge(packet);
  switch (state_) {
    case State::greeting: return take_greeting(packet, say);
    case State::login: return take_verdict(packet, say);
    default: return stranger();
  }
}

// Protocol 10: a version, a number, eight bytes of a challenge, capabilities in two halves.
Result<Step> MysqlSession::take_greeting(std::string_view packet, std::string& say) {
  const std::size_t version_end = packet.find('\0');
  if (packet.front() != '\x0a' || version_end == std::string_view::npos) return stranger();
  const std::string_view rest = packet.substr(version_end + 1);
  if (rest.size() < 15) return stranger();
  capabilities_ = number_at(rest.substr(13), 2);
  if (rest.size() >= 20) capabilities_ |= number_at(rest.substr(18), 2) << 16U;
  if ((capabilities_ & protocol_41) == 0) return failed("it is too old: it does not speak protocol 4.1");
  if (terms_.tls == TlsWish::none) capabilities_ &= ~tls;
  if ((capabilities_ & tls) == 0) {
    if (terms_.tls == TlsWish::required) return failed("it does not speak TLS");
    append_login(say);
    return Step::listen;
  }
  if (!unread_.empty())
    return failed("it says more before TLS begins than it may: somebody may have changed what it says");
  state_ = State::securing;
  append_packet(say, head_of_login());
  return Step::start_tls;
}

Result<Step> MysqlSession::secured(std::string& say) {
  append_login(say);
  return Step::listen;
}

std::string MysqlSession::head_of_login() const {
  std::string out;
  std::uint32_t wanted = long_password | protocol_41 | secure_connection;
  wanted |= capabilities_ & (plugin_auth | tls);
  if (!terms_.database.empty()) wanted |= with_database;
  append_number(out, wanted, 4);
  append_number(out, largest_packet, 4);
  out += utf8;
  return out.append(23, '\0');
}

void MysqlSession::append_login(std::string& say) {
  state_ = State::login;
  std::string login = head_of_login();
  login.append(terms_.user).append(1, '\0');
  login += '\0';  // no password, in whatever way
  if (!terms_.database.empty()) login.append(terms_.database).append(1, '\0');
  if ((capabilities_ & plugin_auth) != 0) login.append("mysql_native_password").append(1, '\0');
  append_packet(say, login);
}

// The server has its own idea of how to log in (0xfe), or goes on with it (0x01): no password either.
Result<Step> MysqlSession::take_verdict(std::string_view packet, std::string& say) {
  switch (packet.front()) {
    case '\0': state_ = State::in_session; return Step::done;
    case '\x01':
    case '\xfe':
      if (++answers_ > most_answers) return Step::done;
      append_packet(say, packet.front() == '\x01' ? std::string_view("\0", 1) : std::string_view());
      return Step::listen;
    default: return stranger();
  }
}

Result<Step> MysqlSession::judge(std::string_view error) const {
  if (error.size() < 3) return stranger();
  const unsigned code = number_at(error.substr(1), 2);
  if (std::ranges::find(of_identity, code) != of_identity.end()) return Step::done;
  std::string_view words = error.substr(3);
  if (words.starts_with('#') && words.size() >= 6) words.remove_prefix(6);  // the SQLSTATE
  return failed(std::string(words.substr(0, 500)) + " (error " + std::to_string(code) + ")");
}

void MysqlSession::append_packet(std::string& say, std::string_view payload) {
  append_number(say, static_cast<std::uint32_t>(payload.size()), 3);
  say += static_cast<char>(sequence_++);
  say += payload;
}

Result<Step> MysqlSession::ended() {
  if (state_ == State::login) return failed("it closed the connection during the login");
  return Dialogue::ended();
}

std::string_view MysqlSession::farewell() const {
  return state_ == State::in_session ? goodbye : std::string_view();
}

}  // namespace belfry::probes
