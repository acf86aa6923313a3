#include "cli/wait_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "cli/option_values.hpp"
#include "config/model/pattern.hpp"

namespace belfry::cli {
namespace {

using client::Expected;

Expected<void> read_time(const std::string& option, const std::string& text, std::optional<Duration>& out) {
  Expected<void> read = read_duration(option, text, out);
  if (read && out && *out <= Duration::zero())
    return misunderstood(option + " " + text, "it has to be longer than 0", "write it like 500ms or 2s");
  return read;
}

std::optional<std::uint16_t> status_of(std::string_view digits) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 100 || value > 599)
    return std::nullopt;
  return value;
}

// `200`, `200-399`, `200,204,300-399`.
Expected<void> read_statuses(const std::string& text, config::HttpExpectation& out) {
  for (std::string_view rest = text;;) {
    const std::string_view one = rest.substr(0, rest.find(','));
    const auto dash = std::min(one.find('-'), one.size());
    const auto low = status_of(one.substr(0, dash));
    const auto high = dash == one.size() ? low : status_of(one.substr(dash + 1));
    if (!low || !high || *low > *high)
      return misunderstood("--status " + text, "`" + std::string(one) + "` is not a status",
                           "write 200, 200-399 or 200,204");
    out.statuses.emplace_back(*low, *high);
    if (one.size() == rest.size()) return {};
    rest.remove_prefix(one.size() + 1);
  }
}

bool is_token(std::string_view text) {
  return !text.empty() && text.find_first_of("\r\n\t \"(),/:;<=>?@[\\]{}") == std::string_view::npos;
}

// The value is not repeated in the message: it may be a password.
Expected<void> read_header(const std::string& text, config::HttpExpectation& out) {
  const auto colon = std::min(text.find(':'), text.size());
  const std::string name = text.substr(0, colon);
  if (colon == text.size() || !is_token(name) || text.find_first_of("\r\n") != std::string::npos)
    return misunderstood("--header", "it is not `Name: value`", "--header 'Accept: application/json'");
  const auto begin = std::min(text.find_first_not_of(" \t", colon + 1), text.size());
  out.headers.emplace_back(name, text.substr(begin));
  return {};
}

Expected<void> read_body(const std::string& text, config::HttpExpectation& out) {
  if (const auto compiled = config::Pattern::compile(text); !compiled)
    return misunderstood("--body " + text, "it is not a regular expression: " + compiled.error(),
                         "the syntax is Perl's, without look-around");
  out.body = text;
  return {};
}

// `/status=ok`, or `/status` where anything may stand there.
Expected<void> read_json(const std::string& text, config::HttpExpectation& out) {
  const auto equals = std::min(text.find('='), text.size());
  config::JsonExpectation json{.pointer = text.substr(0, equals), .equals = {}};
  if (!json.pointer.empty() && json.pointer.front() != '/')
    return misunderstood("--json " + text, "a pointer (RFC 6901) begins with /", "--json /status=ok");
  if (equals < text.size()) json.equals = text.substr(equals + 1);
  out.json = std::move(json);
  return {};
}

Expected<void> read_method(const std::string& text, config::HttpExpectation& out) {
  if (text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)
    return misunderstood("--method " + text, "it is not an HTTP method", "write GET, HEAD, POST, …");
  out.method = text;
  return {};
}

Expected<config::HttpExpectation> http_of(const WaitOptions& asked) {
  config::HttpExpectation http;
  Expected<void> read;
  if (!asked.method.empty()) read = read_method(asked.method, http);
  if (read && !asked.status.empty()) read = read_statuses(asked.status, http);
  if (read && !asked.body.empty()) read = read_body(asked.body, http);
  if (read && !asked.json.empty()) read = read_json(asked.json, http);
  for (const std::string& header : asked.headers) {
    if (read) read = read_header(header, http);
  }
  if (!read) return std::unexpected(read.error());
  return http;
}

std::string absolute(const std::string& path, const std::string& directory) {
  return path.empty() || path.front() == '/' ? path : directory + "/" + path;
}

}  // namespace

void add_wait_options(CLI::App& app, WaitOptions& options) {
  app.add_flag("--any", options.any);
  app.add_flag("--not", options.negated);
  app.add_flag("-q,--quiet", options.quiet);
  app.add_flag("--insecure", options.insecure);
  app.add_option("--header", options.headers)->allow_extra_args(false);
  const std::pair<const char*, std::string*> texts[] = {
      {"--interval", &options.interval},
      {"--attempt-timeout", &options.attempt_timeout},
      {"--method", &options.method},
      {"--status", &options.status},
      {"--body", &options.body},
      {"--json", &options.json},
      {"--ca", &options.ca},
      {"--cert", &options.cert},
      {"--key", &options.key},
      {"--query", &options.query},
  };
  for (const auto& [name, text] : texts) app.add_option(name, *text);
}

Expected<waiter::ProbeOptions> probe_options(const WaitOptions& asked, const std::string& directory) {
  waiter::ProbeOptions options;
  const bool http = !asked.method.empty() || !asked.status.empty() || !asked.body.empty() ||
                    !asked.json.empty() || !asked.headers.empty();
  if (http) {
    auto read = http_of(asked);
    if (!read) return std::unexpected(read.error());
    options.http = std::move(*read);
  }
  if (!asked.key.empty() && asked.cert.empty())
    return misunderstood("--key", "there is no --cert that it belongs to", "--cert FILE --key FILE");
  if (asked.insecure || !asked.ca.empty() || !asked.cert.empty())
    options.tls = config::TlsOptions{.verify = !asked.insecure,
                                     .ca = absolute(asked.ca, directory),
                                     .cert = absolute(asked.cert, directory),
                                     .key = absolute(asked.key, directory),
                                     .server_name = {}};
  options.query = asked.query;
  return options;
}

Expected<waiter::AttemptTerms> attempt_terms(const WaitOptions& asked) {
  waiter::AttemptTerms terms;
  terms.negated = asked.negated;
  std::optional<Duration> timeout;
  Expected<void> read = read_time("--interval", asked.interval, terms.interval);
  if (read) read = read_time("--attempt-timeout", asked.attempt_timeout, timeout);
  if (!read) return std::unexpected(read.error());
  terms.timeout = timeout.value_or(terms.timeout);
  return terms;
}

}  // namespace belfry::cli
