// What the addresses of both kinds of databases share.
#include "config/model/database_address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "config/model/address.hpp"

namespace belfry::config::detail {
namespace {

// Empty: a `%` without two hexadecimal digits behind it, or a NUL.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || failed != std::errc() || end != digits.data() + 2 || value == 0)
      return std::nullopt;
    out += static_cast<char>(value);
    at += 2;
  }
  return out;
}

// Takes decoded pieces out of a URL, and remembers whether one of them was wrong.
struct Pieces {
  bool good = true;
  std::string operator()(std::string_view piece) {
    auto text = percent_decoded(piece);
    good = good && text;
    return text.value_or("");
  }
};

void take_host(std::string_view one, Pieces& decoded, DatabaseUrl& url) {
  std::size_t colon = one.rfind(':');
  if (one.starts_with('[')) {
    const std::size_t close = std::min(one.find(']'), one.size());
    url.hosts.push_back(decoded(one.substr(1, close - 1)));
    colon = one.find(':', close);
  } else {
    url.hosts.push_back(decoded(one.substr(0, colon)));
  }
  url.ports.emplace_back(colon == std::string_view::npos ? "" : one.substr(colon + 1));
}

void take_parameters(std::string_view query, Pieces& decoded, DatabaseUrl& url) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos || equals == 0) decoded.good = decoded.good && one.empty();
    if (one.empty()) continue;
    url.parameters.emplace_back(decoded(one.substr(0, equals)),
                                decoded(one.substr(std::min(equals, one.size() - 1) + 1)));
  }
}

}  // namespace

std::unexpected<Malformed> bad(std::string message, std::string help) {
  return std::unexpected(Malformed{std::move(message), std::move(help)});
}

bool may_split_password(std::string_view url) {
  const std::size_t query = url.find('?');
  return query != std::string_view::npos && url.substr(query).contains('@');
}

std::string shown_key(std::string_view key, bool may_be_secret) {
  if (may_be_secret) return "such key";
  return "`" + std::string(key.substr(0, 40)) + (key.size() > 40 ? "…`" : "`");
}

std::expected<DatabaseUrl, Malformed> split_database_url(std::string_view text) {
  std::string_view rest = text.substr(text.find("://") + 3);
  DatabaseUrl url;
  Pieces decoded;
  const std::string_view before_query = rest.substr(0, rest.find('?'));
  if (before_query.size() < rest.size()) take_parameters(rest.substr(before_query.size() + 1), decoded, url);
  std::string_view authority = before_query.substr(0, before_query.find('/'));
  if (authority.size() < before_query.size())
    url.database = decoded(before_query.substr(authority.size() + 1));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const std::size_t colon = std::min(who.find(':'), who.size());
    url.user = decoded(who.substr(0, colon));
    url.password = decoded(who.substr(std::min(colon + 1, who.size())));
  }
  if (!authority.empty())
    for (const std::string& one : split_list(authority)) take_host(one, decoded, url);
  if (!decoded.good)
    return bad(
        "this URL of a database cannot be read: a `%` in it encodes nothing, or a parameter has no `=`",
        "write `%` as %25, `@` as %40, `/` as %2F; parameters as ?name=value&name=value");
  return url;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

std::expected<std::uint32_t, Malformed> parse_seconds(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value > 86400)
    return bad("`connect_timeout` is not a number of seconds, 0 to 86400", "write connect_timeout=5");
  return value;
}

std::expected<void, Malformed> check_database_host(std::string_view host) {
  const bool v6 = host.contains(':');
  auto parsed = parse_host_port((v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":1");
  if (parsed) return {};
  return bad("the host of this database cannot be a host", "write a name, an address, or [::1] in a URL");
}

}  // namespace belfry::config::detail
