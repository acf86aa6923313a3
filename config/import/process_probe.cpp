// A probe of a process-compose file as one of belfry.
#include <algorithm>
#include <array>
#include <cctype>

#include "config/import/process.hpp"
#include "config/model/duration.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

bool one_of(std::string_view name, std::span<const std::string_view> known) {
  return name.starts_with("x-") || std::ranges::find(known, name) != known.end();
}

std::string lower(std::string text) {
  if (!text.contains('$'))  // the names of variables stay
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Blanks and control characters as a URL has them.
std::string encoded(std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7F)
      out += c;
    else
      (out += '%').append({digits[byte >> 4U], digits[byte & 15U]});
  }
  return out;
}

class ProbeReader {
 public:
  ProbeReader(const ProbeSource& source, const Entry& entry, bool live)
      : source_(source), key_(*entry.key), node_(*entry.value), live_(live) {}

  ImportedProbe run() {
    constexpr auto known = std::to_array<std::string_view>(
        {"exec", "http_get", "grpc", "initial_delay_seconds", "period_seconds", "timeout_seconds",
         "success_threshold", "failure_threshold"});
    for (const Entry& entry : node_.entries())
      if (!one_of(entry.key->text(), known)) left(entry, "", reason(entry.key->text()));
    if (!kind()) {
      source_.left(key_, std::string(key_.text()), "it has neither `exec` nor `http_get`");
      return {};
    }
    seconds("initial_delay_seconds", "initial_delay", "");
    seconds("period_seconds", "period", live_ ? "10" : "");
    seconds("timeout_seconds", live_ ? "timeout" : "attempt_timeout", "1");
    threshold("success_threshold");
    const std::string failures = threshold("failure_threshold", live_);
    return {std::move(entries_), live_ ? "" : patience(failures)};
  }

 private:
  static std::string reason(std::string_view name) {
    if (name == "tcp" || name == "tcp_socket")
      return "process-compose has no such probe; in belfry: {tcp: \"127.0.0.1:PORT\"}";
    return "belfry has no counterpart";
  }

  std::string text(const Node* node) const {
    return node == nullptr || !node->is_scalar() ? std::string() : source_.templates.filled(*node);
  }
  void left(const Entry& entry, std::string_view within, std::string why) const {
    source_.left(*entry.key,
                 std::string(key_.text()) + "." + std::string(within) + std::string(entry.key->text()),
                 std::move(why));
  }

  // The first of the kinds that are written counts.
  bool kind() {
    bool taken = false;
    for (const Entry& entry : node_.entries()) {
      const std::string_view name = entry.key->text();
      if (name != "exec" && name != "http_get" && name != "grpc") continue;
      if (taken)
        left(entry, "", "one probe looks at one thing: write a list of two");
      else
        taken = name == "exec" ? exec(entry) : name == "grpc" ? grpc(entry) : http(entry);
    }
    return taken;
  }

  bool exec(const Entry& entry) {
    const std::string command = text(entry.value->find("command"));
    for (const Entry& one : entry.value->entries())
      if (!one_of(one.key->text(), std::array<std::string_view, 1>{"command"}))
        left(one, "exec.",
             one.key->text() == "working_dir" ? "probes run in the directory of their service"
                                              : "belfry has no counterpart");
    if (command.find_first_not_of(" \t\r\n") == std::string::npos) return false;
    entries_.push_back("exec: " + shell_command(command, source_.shell, source_.double_dollar));
    return true;
  }

  // The text of `name`, or of what stands for it.
  static std::string or_else(std::string value, std::string fallback) {
    return value.empty() ? std::move(fallback) : value;
  }
  std::string port_of(const Node& node, std::string fallback) const {
    return or_else(text(node.find("port")), or_else(text(node.find("num_port")), std::move(fallback)));
  }

  bool grpc(const Entry& entry) {
    constexpr auto known = std::to_array<std::string_view>({"host", "port", "num_port", "service"});
    for (const Entry& one : entry.value->entries())
      if (!one_of(one.key->text(), known)) left(one, "grpc.", "belfry has no counterpart");
    const std::string port = port_of(*entry.value, ""), service = text(entry.value->find("service"));
    if (port.empty()) return false;
    left(entry, "", "it is written as it is: `belfry check` says whether this version asks over gRPC");
    entries_.push_back("grpc: " + text::json_string(or_else(text(entry.value->find("host")), "127.0.0.1") +
                                                    ":" + port + (service.empty() ? "" : "/" + service)));
    return true;
  }

  bool http(const Entry& entry) {
    constexpr auto known = std::to_array<std::string_view>(
        {"host", "scheme", "path", "port", "num_port", "method", "headers", "status_code"});
    const Node& get = *entry.value;
    if (!get.is_mapping()) return false;
    for (const Entry& one : get.entries())
      if (!one_of(one.key->text(), known)) left(one, "http_get.", "belfry has no counterpart");
    std::string path = encoded(or_else(text(get.find("path")), "/"));
    if (!path.starts_with('/')) path.insert(0, "/");
    const std::string scheme = or_else(lower(text(get.find("scheme"))), "http");
    const std::string port = port_of(get, scheme == "https" ? "443" : "80");
    entries_.push_back(
        "http: " +
        text::json_string(scheme + "://" + or_else(text(get.find("host")), "127.0.0.1") + ":" + port + path));
    if (const std::string method = text(get.find("method")); !method.empty())
      entries_.push_back("method: " + yaml_text(method));
    if (const Node* const all = get.find("headers")) headers(*all);
    // Nothing but 200 is good there unless another one is written.
    const std::string status = text(get.find("status_code"));
    entries_.push_back("status: " + yaml_value(status.empty() || status == "0" ? "200" : status));
    return true;
  }

  // A header may have several values there, and has one here.
  void headers(const Node& node) {
    std::vector<std::string> lines;
    for (const Entry& entry : node.entries()) {
      const Node* const value =
          entry.value->is_sequence() && entry.value->size > 0 ? entry.value->items().front() : entry.value;
      if (!value->is_scalar() || entry.value->size == 0)
        left(entry, "http_get.headers.", "it is no text");
      else
        lines.push_back(yaml_text(entry.key->text()) + ": " + text::json_string(text(value)));
      if (entry.value->is_sequence() && entry.value->size > 1)
        left(entry, "http_get.headers.", "a header has one value: the first counts");
    }
    std::string joined;
    for (const std::string& line : lines) joined += (joined.empty() ? "" : ", ") + line;
    if (!joined.empty()) entries_.push_back("headers: {" + joined + "}");
  }

  const Entry* find(std::string_view name) const {
    const auto found =
        std::ranges::find(node_.entries(), name, [](const Entry& entry) { return entry.key->text(); });
    return found == node_.entries().end() ? nullptr : &*found;
  }

  void seconds(std::string_view from, std::string_view to, std::string_view fallback) {
    const Entry* const written = find(from);
    bool bad = false;
    std::string value = written == nullptr ? "" : seconds_value(text(written->value), bad);
    if (bad) left(*written, "", "seconds are a whole number");
    if (value.empty() && !fallback.empty()) value = std::string(fallback) + "s";
    if (!value.empty()) entries_.push_back(std::string(to) + ": " + value);
  }

  // The number that is written, which becomes an entry if it is `wanted`.
  std::string threshold(std::string_view name, bool wanted = true) {
    const Entry* const written = find(name);
    std::string value = written == nullptr ? "" : text(written->value);
    if (value.empty() || value.find_first_not_of('0') == std::string::npos) return {};
    const bool number = value.size() < 9 && value.find_first_not_of("0123456789") == std::string::npos;
    if (!number && !value.contains('$')) {
      left(*written, "", "a threshold is a whole number from 1");
      return {};
    }
    if (wanted) entries_.push_back(std::string(name) + ": " + yaml_value(value));
    return value;
  }

  // It is first asked after the delay, then each period, and given up at the last of `failures` in a row.
  std::string patience(const std::string& failures) const {
    const std::uint64_t most = 365UL * 24 * 3600;
    const auto number = [&](const std::string& value, std::uint64_t fallback) {
      std::uint64_t out = 0;
      for (const char c : value) out = std::min(most, out * 10 + static_cast<std::uint64_t>(c - '0'));
      return out == 0 ? fallback : out;
    };
    const auto written = [&](std::string_view name) {
      const Entry* const entry = find(name);
      std::string value = entry == nullptr ? "" : text(entry->value);
      const bool plain = value.find_first_not_of("0123456789") == std::string::npos;
      return plain || value.contains('$') ? value : "";
    };
    const std::string delay = written("initial_delay_seconds"), period = written("period_seconds");
    if ((delay + period + failures).contains('$')) return {};
    return std::to_string(std::min(most, number(delay, 0) + number(failures, 3) * number(period, 10))) + "s";
  }

  const ProbeSource& source_;
  const Node& key_;
  const Node& node_;
  bool live_;
  std::vector<std::string> entries_;
};

}  // namespace

std::string seconds_value(std::string_view text, bool& bad) {
  if (text.contains('$')) return text::json_string(std::string(text) + "s");
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  const auto value = parse_duration(text.empty() ? "0s" : std::string(text) + "s");
  bad = !digits || !value;
  return bad || *value == Duration(0) ? "" : std::string(text) + "s";
}

ImportedProbe import_probe(const ProbeSource& source, const Entry& entry, bool live) {
  return ProbeReader(source, entry, live).run();
}

}  // namespace belfry::config
