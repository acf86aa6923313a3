// Values as texts.
#include <algorithm>
#include <array>

#include "config/difference/values.hpp"
#include "config/model/duration.hpp"
#include "config/model/enum_names.hpp"

namespace belfry::config {

namespace {

// "{a: 1, b: 2}", without what is empty.
class Mapping {
 public:
  void add(std::string_view key, const std::string& value) {
    if (value.empty()) return;
    if (!text_.empty()) text_ += ", ";
    text_.append(key).append(": ").append(value);
  }
  void text(std::string_view key, const std::string& value) {
    if (!value.empty()) add(key, quoted(value));
  }
  void flag(std::string_view key, bool value) {
    if (value) add(key, "true");
  }
  template <class Number>
  void number(std::string_view key, Number value, Number fallback) {
    if (value != fallback) add(key, std::to_string(value));
  }
  [[nodiscard]] std::string str() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

std::string text_of(const HttpExpectation& http) {
  Mapping out;
  out.text("method", http.method);
  for (const auto& [name, value] : http.headers) out.text("header " + name, value);
  for (const auto& [from, to] : http.statuses)
    out.add("status", std::to_string(from) + "-" + std::to_string(to));
  out.text("body", http.body);
  if (http.json) {
    out.text("json.pointer", http.json->pointer.empty() ? "/" : http.json->pointer);
    if (http.json->equals) out.add("json.equals", quoted(*http.json->equals));
  }
  return out.str();
}

std::string text_of(const Probe& probe) {
  Mapping out;
  out.add("kind", std::string(name_of(probe.kind)));
  out.flag("udp", probe.udp);
  out.flag("any_owner", probe.any_owner);
  out.number<unsigned>("port", probe.port, 0);
  out.number<unsigned>("fd", probe.fd, 0);
  if (probe.dialect != FdDialect::s6) out.add("dialect", "dinit");
  out.text("target", probe.target);
  out.number<unsigned>("times", probe.times, 1);
  if (!probe.command->empty()) out.add("command", list_of(*probe.command));
  out.text("query", *probe.query);
  out.text("server", *probe.server);
  if (probe.http) out.add("http", text_of(*probe.http));
  if (probe.tcp) {
    out.text("send", probe.tcp->send);
    out.text("expect", probe.tcp->expect);
  }
  if (probe.file) {
    if (!probe.file->exists) out.add("exists", "false");
    out.flag("socket", probe.file->socket);
    out.text("contains", probe.file->contains);
  }
  if (probe.tls) out.add("tls", text_of(*probe.tls));
  if (probe.cluster) {
    out.add("require", std::to_string(probe.cluster->require));
    out.add("hosts", list_of(probe.cluster->hosts));
    if (probe.cluster->confirm) out.add("confirm", text_of(*probe.cluster->confirm));
  }
  return out.str();
}

std::string text_of(OptionalDuration duration) { return duration ? to_string(*duration) : std::string(); }

std::string text_of(OnFailure what) {
  switch (what) {
    case OnFailure::unready: return "unready";
    case OnFailure::shutdown: return "shutdown";
    case OnFailure::restart: break;
  }
  return {};
}

std::string threshold(std::uint32_t number) { return number == 1 ? std::string() : std::to_string(number); }

struct Tuning {
  std::string_view key;
  std::string (*text)(const Probe& probe);
};

constexpr auto tunings = std::to_array<Tuning>({
    {"timeout", [](const Probe& p) { return text_of(p.timeout); }},
    {"initial_delay", [](const Probe& p) { return text_of(p.initial_delay); }},
    {"period", [](const Probe& p) { return text_of(p.period); }},
    {"attempt_timeout", [](const Probe& p) { return text_of(p.attempt_timeout); }},
    {"recheck", [](const Probe& p) { return text_of(p.recheck); }},
    {"success_threshold", [](const Probe& p) { return threshold(p.success_threshold); }},
    {"failure_threshold", [](const Probe& p) { return threshold(p.failure_threshold); }},
    {"on_failure", [](const Probe& p) { return text_of(p.on_failure); }},
});

}  // namespace

std::string text_of(const TlsOptions& tls) {
  Mapping out;
  if (!tls.verify) out.add("verify", "false");
  out.text("ca", tls.ca);
  out.text("cert", tls.cert);
  out.text("key", tls.key);
  out.text("server_name", tls.server_name);
  return out.str();
}

std::string quoted(std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(" \t\n,:{}[]\"'\\#→") == std::string_view::npos;
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out.append(out.size() == 1 ? "" : ", ").append(quoted(text));
  return out += ']';
}

std::string text_of(const ProbeSet& set) {
  if (set.empty()) return {};
  std::string out = set.any ? "any [" : "[";
  for (std::size_t i = 0; i < set.probes.size(); ++i)
    out.append(i == 0 ? "" : ", ").append(text_of(set.probes[i]));
  return out += ']';
}

void read_tuning(const std::string& key, const ProbeSet& set, Values& out) {
  for (const Tuning& tuning : tunings) {
    std::string all;
    bool any = false;
    for (const Probe& probe : set.probes) {
      const std::string one = tuning.text(probe);
      any = any || !one.empty();
      all.append(all.empty() ? "" : ", ").append(one.empty() ? "default" : one);
    }
    if (any) out.push_back({.key = key + "." + std::string(tuning.key), .text = std::move(all)});
  }
}

std::string text_of(const Dependency& edge) {
  Mapping out;
  out.add("condition",
          edge.condition == Condition::own_bell ? *edge.bell : std::string(name_of(edge.condition)));
  if (edge.on_loss != OnLoss::ignore) out.add("on_loss", std::string(name_of(edge.on_loss)));
  if (!edge.required) out.add("required", "false");
  if (edge.loss_after > Duration::zero()) out.add("loss_after", to_string(edge.loss_after));
  if (edge.timeout) out.add("timeout", to_string(*edge.timeout));
  if (edge.require)
    out.add("require", edge.require->count == 0 ? "all" : std::to_string(edge.require->count));
  return out.str();
}

std::string text_of(const ListenSocket& socket) {
  Mapping out;
  out.add("kind", socket.kind == ListenSocket::Kind::tcp   ? "tcp"
                  : socket.kind == ListenSocket::Kind::udp ? "udp"
                                                           : "unix");
  out.text("name", socket.name);
  out.text("address", socket.address);
  out.number<unsigned>("port", socket.port, 0);
  if (socket.mode) out.add("mode", std::to_string(*socket.mode));
  out.text("owner", socket.owner);
  out.text("group", socket.group);
  if (socket.backlog) out.add("backlog", std::to_string(*socket.backlog));
  out.flag("v6only", socket.v6only);
  out.flag("reuse_port", socket.reuse_port);
  return out.str();
}

std::string text_of(const Log& log) {
  Mapping out;
  out.flag("inherit", log.inherit);
  if (!log.to_stdout) out.add("stdout", "false");
  out.flag("timestamps", log.timestamps);
  out.flag("compress", log.compress);
  out.text("file", log.file);
  out.text("journald", log.journald);
  out.text("syslog", log.syslog);
  if (log.max_age > Duration::zero()) out.add("max_age", to_string(log.max_age));
  out.number<std::uint64_t>("max_size", log.max_size, 0);
  out.number<std::uint64_t>("max_line", log.max_line, 0);
  out.number<std::uint32_t>("max_files", log.max_files, 0);
  if (log.format != LogFormat::text) out.add("format", log.format == LogFormat::json ? "json" : "raw");
  if (log.overflow != LogOverflow::drop) out.add("overflow", "block");
  const std::string text = out.str();
  return text == "{}" ? std::string() : text;
}

}  // namespace belfry::config
