#include "config/document/confidential.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "config/document/source.hpp"

namespace belfry::config {
namespace {

struct Part {
  std::size_t begin = 0, end = 0;
};

constexpr std::array<std::string_view, 11> telling{"password", "passwd",  "passphrase",   "pwd",
                                                   "secret",   "token",   "credential",   "apikey",
                                                   "api_key",  "api-key", "authorization"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// The path of a file that holds a secret is no secret, and neither are belfry's own mappings `secrets` and
// `credentials`, which have such paths.
bool tells_a_secret(std::string_view key) {
  const std::string name = lower(key);
  if (name == "secrets" || name == "credentials" || name.ends_with("file") || name.ends_with("path") ||
      name.ends_with("dir"))
    return false;
  return std::ranges::any_of(telling, [&](std::string_view word) { return name.contains(word); }) ||
         name.ends_with("private_key") || name.ends_with("access_key");
}

// `${NAME}`, `$NAME`: a reference names a variable and may be shown; one with a default holds a value.
bool is_reference(std::string_view value) {
  if (!value.starts_with('$')) return false;
  value.remove_prefix(value.starts_with("${") && value.ends_with('}') ? 2 : 1);
  if (value.ends_with('}')) value.remove_suffix(1);
  return !value.empty() && std::ranges::all_of(value, is_word);
}

// Behind the brace that closes the one at `open`.
std::size_t behind_brace(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t at = open; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) return at + 1;
  }
  return text.size();
}

// Where the value that begins at `begin` ends. `within` are the characters that end one without quotes.
Part value_at(std::string_view text, std::size_t begin, std::string_view within) {
  if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) {
    const std::size_t close = text.find(text[begin], begin + 1);
    return {begin + 1, std::min(close, text.size())};
  }
  const std::size_t from = text.substr(begin).starts_with("${") ? behind_brace(text, begin + 1) : begin;
  const std::size_t end = std::min(text.find_first_of(within, from), text.size());
  const std::size_t comment = text.find(" #", begin);
  return {begin, std::min(end, comment)};
}

constexpr std::string_view ends_of_yaml = ",}]\n`\"";
constexpr std::string_view ends_of_pair = " \t\n&;,}])`\"'";

// Of servers that are logged in to: whatever stands before an `@` is who does, also where the URL is
// malformed, because a blank, `/`, `?` or `#` of the password was not encoded.
bool asks_for_a_login(std::string_view before_colon) {
  constexpr std::array<std::string_view, 7> schemes{"postgres", "postgresql", "mysql", "redis",
                                                    "rediss",   "amqp",       "amqps"};
  const auto blank = before_colon.find_last_not_of("abcdefghijklmnopqrstuvwxyz");
  const std::string_view scheme =
      blank == std::string_view::npos ? before_colon : before_colon.substr(blank + 1);
  return std::ranges::find(schemes, scheme) != schemes.end();
}

// `scheme://user:password@host`. A password with a `/` in it, which should be %2F, is one all the same.
void find_userinfo(std::string_view text, std::vector<Part>& parts) {
  for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const bool login = asks_for_a_login(text.substr(0, at));
    const std::size_t whole =
        std::min(text.find_first_of(login ? "\n\"'`" : " \t\n\"'`,", begin), text.size());
    if (login) {
      const std::size_t host_at = text.substr(begin, whole - begin).rfind('@');
      if (host_at != std::string_view::npos && !is_reference(text.substr(begin, host_at)))
        parts.push_back({begin, begin + host_at});
      continue;
    }
    const std::size_t authority = std::min(text.find_first_of("/?#", begin), whole);
    std::size_t last = text.substr(begin, authority - begin).rfind('@');
    const std::size_t colon = text.substr(begin, authority - begin).find(':');
    if (last == std::string_view::npos && colon != std::string_view::npos) {
      const std::string_view port = text.substr(begin + colon + 1, authority - begin - colon - 1);
      const bool is_port =
          std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }) || text[begin] == '[';
      if (!is_port) last = text.substr(begin, whole - begin).rfind('@');
    }
    if (last == std::string_view::npos || is_reference(text.substr(begin, last))) continue;
    parts.push_back({begin, begin + last});
  }
}

// `user:password@host` without a scheme, as other programs write it: `app:secret@tcp(db:3306)/shop`. The
// digest of an image (`app:1@sha256:…`) is no host.
void find_bare_userinfo(std::string_view text, std::vector<Part>& parts) {
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    const std::size_t before = text.substr(0, at).find_last_of(" \t\n\"'`,[(=");
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::string_view who = text.substr(begin, at - begin);
    const std::size_t colon = who.find(':');
    if (colon == 0 || colon == std::string_view::npos || colon + 1 == who.size() ||
        who.find_first_of("/}") != std::string_view::npos)
      continue;
    if (!text.substr(at + 1).starts_with("sha") && !is_reference(who)) parts.push_back({begin, at});
  }
}

// `KEY: value`, `KEY=value`, `"KEY": "value"`.
void find_values(std::string_view text, std::vector<Part>& parts) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word(text[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < text.size() && is_word(text[at])) ++at;
    if (!tells_a_secret(text.substr(begin, at - begin))) continue;
    std::size_t next = at;
    if (next < text.size() && (text[next] == '"' || text[next] == '\'')) ++next;
    next = std::min(text.find_first_not_of(" \t", next), text.size());
    if (next >= text.size() || (text[next] != ':' && text[next] != '=')) continue;
    const bool pair = text[next] == '=';
    const std::size_t value = std::min(text.find_first_not_of(" \t", next + 1), text.size());
    if (value == text.size() || text[value] == '{' || text[value] == '[' || text[value] == '\n') continue;
    const Part part = value_at(text, value, pair ? ends_of_pair : ends_of_yaml);
    if (!is_reference(text.substr(part.begin, part.end - part.begin))) parts.push_back(part);
    at = std::max(at, part.end);
  }
}

// Credentials without a key of their own, as in a list of headers.
void find_credentials(std::string_view text, std::vector<Part>& parts) {
  const std::string all = lower(text);
  for (const std::string_view scheme : {"bearer ", "basic "})
    for (std::size_t at = all.find(scheme); at != std::string::npos; at = all.find(scheme, at + 1)) {
      const Part part = value_at(text, at + scheme.size(), ends_of_pair);
      if (part.end - part.begin >= 8 && !is_reference(text.substr(part.begin, part.end - part.begin)))
        parts.push_back(part);
    }
}

std::vector<Part> secrets_of(std::string_view text) {
  std::vector<Part> parts;
  find_userinfo(text, parts);
  find_bare_userinfo(text, parts);
  find_values(text, parts);
  find_credentials(text, parts);
  std::ranges::sort(parts, {}, &Part::begin);
  return parts;
}

std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(" -"), line.size()); }

bool is_environment_key(std::string_view key) { return key == "environment" || key == "env"; }

// The key that a line of a block begins with.
std::string_view key_of(std::string_view line) {
  line.remove_prefix(indent_of(line));
  const auto colon = line.find(':');
  return colon == std::string_view::npos ? std::string_view() : line.substr(0, colon);
}

// How many blocks deep below `environment:` a line stands; 0: not there. A value of several lines is deeper
// than its key.
std::size_t depth_below_environment(const Source& source, std::uint32_t number) {
  constexpr std::uint32_t farthest = 10'000;  // lines: a thousand messages must not read a huge file each
  std::size_t depth = 0;
  std::size_t indent = indent_of(source.line(number));
  for (std::uint32_t above = number; above > 1 && indent > 0 && number - above < farthest;) {
    const std::string_view line = source.line(--above);
    const std::size_t here = indent_of(line);
    if (here == line.size() || line[here] == '#') continue;
    if (here >= indent) continue;
    ++depth;
    if (is_environment_key(key_of(line))) return depth;
    indent = here;
  }
  return 0;
}

// Finds every value from here on: what stands behind `: ` or `=`.
void find_all_values(std::string_view line, std::size_t from, std::vector<Part>& parts) {
  for (std::size_t at = from; (at = line.find_first_of(":=", at)) != std::string_view::npos;) {
    const std::size_t value = line.find_first_not_of(" \t", at + 1);
    if (value == std::string_view::npos) return;
    const std::size_t close = line.find(']', value);
    if (line[value] == '[' && !line.substr(value, close - value).contains('=')) {
      parts.push_back({value + 1, std::min(close, line.size())});
      at = value + 1;
      continue;
    }
    if (line[value] == '{' || line[value] == '[') {
      at = value;
      continue;
    }
    // In block style a comma is part of the value.
    const bool flow = line.substr(0, value).find_first_of("{[") != std::string_view::npos;
    const Part part = value_at(line, value, flow ? std::string_view(line[at] == '=' ? ",}]\"'" : ",}]") : "");
    if (!is_reference(line.substr(part.begin, part.end - part.begin))) parts.push_back(part);
    at = std::max(part.end, at + 1);
  }
}

// Where `environment:` as a key of its own has its colon.
std::size_t environment_key(std::string_view line) {
  constexpr std::string_view key = "environment:";
  for (std::size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1))
    if (at == 0 || !is_word(line[at - 1])) return at + key.size() - 1;
  return std::string::npos;
}

// Puts asterisks over the part, except over names of variables: a message about a variable must name it.
void blot_out(std::string& line, const Part& part) {
  const std::size_t end = std::min(part.end, line.size());
  for (std::size_t at = part.begin; at < end; ++at) {
    if (line[at] == '$' && at + 1 < end && line[at + 1] == '{') {
      at += 2;
      while (at < end && is_word(line[at])) ++at;
      if (at < end && line[at] == '}') continue;
      if (at >= end) return;
    }
    line[at] = '*';
  }
}

}  // namespace

std::string masked(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (const Part& part : secrets_of(text)) {
    if (part.begin < at || part.begin == part.end) continue;
    out.append(text.substr(at, part.begin - at)).append("***");
    at = part.end;
  }
  return out.append(text.substr(at));
}

std::string line_to_show(const Source& source, std::uint32_t number) {
  std::string line(source.line(number));
  std::vector<Part> parts = secrets_of(line);
  const std::size_t depth = depth_below_environment(source, number);
  if (depth > 1)
    parts.push_back({indent_of(line), line.size()});
  else if (depth == 1)
    find_all_values(line, 0, parts);
  else if (const std::size_t key = environment_key(line); key != std::string::npos)
    find_all_values(line, key, parts);
  for (const Part& part : parts) blot_out(line, part);
  return line;
}

bool looks_like_a_belfry_file(std::string_view text) {
  constexpr std::array<std::string_view, 11> keys{"services", "processes", "defaults",       "name",
                                                  "http",     "control",   "shutdown",       "limits",
                                                  "ports",    "cgroups",   "on_daemon_death"};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    // A key of the file itself stands at the beginning, or behind the brace of the flow style.
    if (line.starts_with('{')) line.remove_prefix(std::min(line.find_first_not_of("{ \t"), line.size()));
    if (line.starts_with('"') || line.starts_with('\'')) line.remove_prefix(1);
    if (line.starts_with("x-")) return true;
    for (const std::string_view key : keys) {
      if (!line.starts_with(key)) continue;
      const std::string_view rest = line.substr(key.size());
      if (rest.starts_with(':') || rest.starts_with("\":") || rest.starts_with("':")) return true;
    }
  }
  return false;
}

}  // namespace belfry::config
