#include "relay/gate.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "text/escape.hpp"

namespace belfry::relay {
namespace {

constexpr std::string_view end_of_line = "\r\n";

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::unexpected<Refusal> refuse(int status, std::string detail) {
  return std::unexpected(Refusal{status, std::move(detail)});
}

// What a browser calls this host when it means loopback. The port may be another one: that of a tunnel.
bool is_loopback(std::string_view host) {
  const std::string name = lower_case(host);
  for (const std::string_view known : {"127.0.0.1", "localhost", "[::1]"}) {
    if (!name.starts_with(known)) continue;
    const std::string_view rest = std::string_view(name).substr(known.size());
    if (rest.empty()) return true;
    const bool is_port =
        rest.size() > 1 && std::ranges::all_of(rest.substr(1), [](char c) { return c >= '0' && c <= '9'; });
    if (rest.front() == ':' && is_port) return true;
  }
  return false;
}

// Takes as long for a wrong one as for the right one.
bool is_same(std::string_view given, std::string_view secret) {
  if (secret.empty() || given.size() != secret.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < secret.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i] ^ secret[i]));
  return difference == 0;
}

std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (lower_case(authorization.substr(0, scheme.size())) != scheme) return {};
  return trimmed(authorization.substr(scheme.size()));
}

std::expected<void, Refusal> take_field(Head& head, std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return refuse(400, "cannot read a header field");
  const std::string name = lower_case(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "transfer-encoding") return refuse(411, "cannot take a body without its length");
  if (name == "content-length") {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), head.body);
    if (error != std::errc() || end != value.data() + value.size() || head.body > longest_body)
      return refuse(413, "cannot take so long a body");
  }
  if (name == "authorization") {
    head.authorization = value;
    return {};
  }
  if (name == "connection" || name == "keep-alive" || name == "upgrade") return {};
  // Which page asks is judged here: the daemon would compare it with a name that is not its own.
  if (name == "origin") {
    if (!head.origin.empty()) return refuse(400, "cannot take two origins");
    head.origin = value.empty() ? "null" : value;
    return {};
  }
  if (name == "host") {
    if (!head.host.empty()) return refuse(400, "cannot take two hosts");
    head.host = value;
  }
  (head.forwarded += line) += end_of_line;
  return {};
}

}  // namespace

std::expected<Head, Refusal> read_head(std::string_view text) {
  Head head;
  const auto first = text.find(end_of_line);
  const std::string_view line = text.substr(0, first);
  const auto one = line.find(' ');
  const auto two = line.rfind(' ');
  if (first == std::string_view::npos || one == std::string_view::npos || one == two ||
      line.substr(two + 1) != "HTTP/1.1")
    return refuse(400, "cannot read the request: it is no HTTP/1.1");
  head.method = line.substr(0, one);
  head.target = line.substr(one + 1, two - one - 1);
  if (!head.target.starts_with('/')) return refuse(400, "cannot read the request's target");
  (head.forwarded = line) += end_of_line;
  text.remove_prefix(first + end_of_line.size());
  while (!text.starts_with(end_of_line)) {
    const auto end = text.find(end_of_line);
    if (end == std::string_view::npos) return refuse(400, "cannot read the request: it has no end");
    const std::string_view field = text.substr(0, end);
    if (field.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return refuse(400, "cannot read a header field");
    if (auto taken = take_field(head, field); !taken) return std::unexpected(taken.error());
    text.remove_prefix(end + end_of_line.size());
  }
  head.forwarded += "Connection: close\r\n\r\n";
  return head;
}

std::expected<Gate::Pass, Refusal> Gate::judge(const Head& head) {
  if (!is_loopback(head.host))
    return refuse(403, "cannot answer under this name: the dashboard is at 127.0.0.1 only");
  if (!head.origin.empty() && lower_case(head.origin) != "http://" + lower_case(head.host))
    return refuse(403, "cannot answer a page of somebody else");
  const std::string_view path = std::string_view(head.target).substr(0, head.target.find('?'));
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (!reads && head.method != "POST") return refuse(405, "cannot do this: GET, HEAD and POST are known");
  const std::string_view given = bearer(head.authorization);
  if (path == "/dashboard/session") {
    if (head.method != "POST" || !is_same(given, key_))
      return refuse(401, "cannot open the dashboard by this link: it has been used, or is of another run");
    key_.clear();
    return Pass::secret;
  }
  // The page itself is the same for everybody, and holds nothing of the stack.
  if (path == "/" && reads) return Pass::to_daemon;
  if (!is_same(given, secret_))
    return refuse(401, "cannot show this without the link: run belfry dashboard again for a new one");
  return Pass::to_daemon;
}

std::string answer_of(const Refusal& refusal) {
  const std::string body = R"({"type":"about:blank","title":"Refused","status":)" +
                           std::to_string(refusal.status) + R"(,"detail":)" +
                           text::json_string(refusal.detail) + "}\n";
  return "HTTP/1.1 " + std::to_string(refusal.status) +
         " Refused\r\nContent-Type: application/problem+json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + body;
}

std::string answer_of(std::string_view text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" +
         std::string(text);
}

}  // namespace belfry::relay
