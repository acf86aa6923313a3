#include "probes/protocols/server_words.hpp"

#include "text/escape.hpp"
#include "text/utf8.hpp"

namespace belfry::probes {

namespace {

constexpr std::size_t longest_quote = 120;

std::string_view first_line(std::string_view words) { return words.substr(0, words.find_first_of("\r\n")); }

// Empty: nobody who is known. A record of TLS begins with its type and version (RFC 8446, 5.1); 21 is an
// alert, 22 a handshake.
std::string_view who_speaks(std::string_view beginning) {
  if (beginning.starts_with("HTTP/")) return "HTTP";
  if (beginning.starts_with("SSH-")) return "SSH";
  if (beginning.starts_with("AMQP")) return "AMQP";
  if (beginning.size() >= 2 && (beginning[0] == '\x15' || beginning[0] == '\x16') && beginning[1] == '\x03')
    return "TLS";
  // A frame of HTTP/2 of type 4, SETTINGS, on stream 0 (RFC 9113, 6.5).
  if (beginning.size() >= 4 && beginning[0] == '\0' && beginning[3] == '\x04') return "HTTP/2";
  return {};
}

}  // namespace

std::string quoted(std::string_view words, std::string_view secret) {
  std::string line(first_line(words));
  for (std::size_t at = 0; !secret.empty() && (at = line.find(secret, at)) != std::string::npos; at += 3)
    line.replace(at, secret.size(), "***");
  const bool is_long = line.size() > longest_quote;
  if (is_long) {
    std::size_t end = longest_quote;
    while (end > 0 && text::is_continuation(line[end])) --end;
    line.resize(end);
  }
  return "\"" + text::visible(line) + (is_long ? "…" : "") + "\"";
}

Error not_speaking(std::string_view expected, std::string_view beginning, bool may_quote) {
  const std::string_view who = who_speaks(beginning);
  if (who.empty())
    return Error::failed("it does not speak " + std::string(expected) +
                         (may_quote ? ": it answered " + quoted(beginning) : ""));
  return Error::failed("it speaks " + std::string(who) + " and not " + std::string(expected) +
                       (who == "TLS" ? ": add `tls: true`" : ""));
}

std::optional<std::string> Lines::next() {
  const std::size_t end = unread_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace belfry::probes
