#include "probes/protocols/redis_ping.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace belfry::probes {

namespace {

// The longest that Redis says here, of protected mode, has about 900 bytes.
constexpr std::size_t longest_line = 4096;
constexpr std::size_t first_words = 5;  // tell who speaks, if it is somebody else
constexpr std::string_view redis = "Redis' protocol";

void append_command(std::string& to, std::initializer_list<std::string_view> words) {
  to += "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    to += "$" + std::to_string(word.size()) + "\r\n";
    to += word;
    to += "\r\n";
  }
}

// "LOADING" of "LOADING Redis is loading the dataset in memory".
std::string_view code_of(std::string_view words) { return words.substr(0, words.find(' ')); }

// What the codes by which a server refuses say about it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> meanings{{
    {"LOADING", "it is still loading its data"},
    {"MASTERDOWN", "it is a replica without a link to its master, and serves no stale data"},
    {"NOAUTH", "it asks for a password: give it in the URL, as redis://:PASSWORD@HOST:PORT"},
    {"NOPERM", "its user may not run PING: allow that with `ACL SETUSER … +ping`"},
    {"DENIED", "it runs in protected mode, and takes clients from its own host alone"},
    {"BUSY", "it runs a script that does not end"},
    {"MISCONF", "it refuses writes, because it cannot save its data"},
    {"WRONGPASS", "it refuses the user or the password"},
}};

}  // namespace

RedisPing::RedisPing(RedisLogin login) : login_(std::move(login)) {
  if (!login_.user.empty()) {
    append_command(request_, {"AUTH", login_.user, login_.password});
    asked_.push_back(Asked::auth);
  } else if (!login_.password.empty()) {
    append_command(request_, {"AUTH", login_.password});
    asked_.push_back(Asked::auth);
  }
  if (login_.database != 0) {
    append_command(request_, {"SELECT", std::to_string(login_.database)});
    asked_.push_back(Asked::select);
  }
  append_command(request_, {"PING"});
  asked_.push_back(Asked::ping);
}

Result<Dialogue::Step> RedisPing::begin(std::string& say) {
  lines_.clear();
  answered_ = 0;
  say += request_;
  return Step::listen;
}

Result<Dialogue::Step> RedisPing::ended() {
  return lines_.rest().empty() ? Dialogue::ended()
                               : std::unexpected(not_speaking(redis, lines_.rest(), login_.password.empty()));
}

Result<Dialogue::Step> RedisPing::hear(std::string_view bytes, std::string&) {
  lines_.add(bytes);
  while (const auto line = lines_.next()) {
    const auto step = judge(asked_[answered_], *line);
    if (!step || *step == Step::done) return step;
    ++answered_;
  }
  const std::string_view rest = lines_.rest();
  // Replies to these are a line, with a sign in front of it that says whether it is an error.
  const bool is_other = !rest.empty() && rest.front() != '+' && rest.front() != '-';
  if ((is_other && rest.size() >= first_words) || rest.size() > longest_line)
    return std::unexpected(not_speaking(redis, rest, login_.password.empty()));
  return Step::listen;
}

Result<Dialogue::Step> RedisPing::judge(Asked asked, std::string_view reply) const {
  if (reply.starts_with('-')) return std::unexpected(refusal(asked, reply.substr(1)));
  if (reply == (asked == Asked::ping ? "+PONG" : "+OK"))
    return asked == Asked::ping ? Step::done : Step::listen;
  return std::unexpected(not_speaking(redis, reply, login_.password.empty()));
}

Error RedisPing::refusal(Asked asked, std::string_view words) const {
  const auto* const known =
      std::ranges::find(meanings, code_of(words), &decltype(meanings)::value_type::first);
  if (known != meanings.end()) return Error::failed(std::string(known->second));
  if (words.contains("max number of clients"))
    return Error::failed("it has as many clients as it takes (`maxclients`)");
  // Servers before version 6 have no code for a wrong password. What they say to AUTH may repeat it.
  if (asked == Asked::auth && words.contains("invalid password"))
    return Error::failed("it refuses the user or the password");
  if (asked == Asked::auth &&
      (words.contains("without any password") || words.contains("no password is set")))
    return Error::failed("it has no password, and the URL gives one");
  const std::string_view secret = login_.password;
  if (asked == Asked::select)
    return Error::failed("it has no database " + std::to_string(login_.database) + ": it answered " +
                         quoted(words, secret));
  return Error::failed("it answered " + quoted(words, secret));
}

}  // namespace belfry::probes
