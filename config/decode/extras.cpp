// Sockets, logs, limits: the mappings that few services have.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <limits>

#include "config/decode/decode.hpp"
#include "config/model/address.hpp"
#include "config/model/kernel_names.hpp"
#include "config/model/output_reference.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

bool is_ipv6(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &ignored) == 1;
}

// What can be bound: names would have to be asked for, and the answer may change while the service runs.
bool is_bindable(const std::string& host) {
  in_addr ignored{};
  return host == "*" || host == "localhost" || is_ipv6(host) ||
         ::inet_pton(AF_INET, host.c_str(), &ignored) == 1;
}

void read_socket_address(Decoder& decoder, const Node& node, std::string_view base, ListenSocket& out) {
  auto value = decoder.text(node);
  if (!value) return;
  std::string_view text = *value;
  if (text.starts_with("unix:")) {
    out.kind = ListenSocket::Kind::unix_stream;
    text.remove_prefix(5);
    if (text.empty())
      return decoder.error("bad-value", node, "`unix:` needs a path", "write unix:/run/app.sock");
    out.address =
        text.starts_with('@') || text.starts_with('\0') ? std::string(text) : decoder.absolute(text, base);
    if (!has_reference(text) && out.address.size() > 107)
      decoder.error("bad-value", node, "the path of a unix socket may have 107 bytes at most (unix(7))",
                    "use a shorter path");
    return;
  }
  if (text.starts_with("udp:")) out.kind = ListenSocket::Kind::udp;
  if (text.starts_with("udp:") || text.starts_with("tcp:")) text.remove_prefix(4);
  if (has_reference(text)) {
    out.address = text;
    return;
  }
  const auto parsed = parse_host_port(text);
  if (!parsed) return decoder.malformed(node, parsed.error());
  out.address = parsed->host;
  out.port = parsed->port;
  if (!is_bindable(out.address))
    decoder.error("bad-value", node, "a socket cannot be bound to the name `" + out.address + "`",
                  "write an address of this host: 127.0.0.1, [::1], localhost, or * for all of them");
}

// Options that the kernel would take no notice of.
void check_socket_options(Decoder& decoder, const Node& node, const ListenSocket& socket) {
  using Kind = ListenSocket::Kind;
  const bool has_file = socket.kind == Kind::unix_stream && !socket.address.starts_with('@');
  struct Rule {
    std::string_view key;
    bool fits;
    std::string_view where;
  };
  const Rule rules[] = {
      {"mode", has_file, "a unix socket with a path"},
      {"owner", has_file, "a unix socket with a path"},
      {"group", has_file, "a unix socket with a path"},
      {"backlog", socket.kind != Kind::udp, "a socket that accepts connections"},
      {"v6only", socket.kind != Kind::unix_stream && is_ipv6(socket.address), "an IPv6 address"},
      {"reuse_port", socket.kind != Kind::unix_stream, "a TCP or UDP socket"},
  };
  for (const Rule& rule : rules)
    if (const Node* const value = node.find(rule.key); value != nullptr && !rule.fits)
      decoder.error("unfit-key", *value,
                    "`" + std::string(rule.key) + "` belongs to " + std::string(rule.where), "remove it");
}

// `address` is read by decode_listen, which knows the directory.
constexpr std::array<Field<ListenSocket>, 8> socket_table{{
    {may_refer({"address", "socket_address", "needed",
                "`host:port`, `udp:host:port`, `unix:/path` or `unix:@abstract`; the host is an address, "
                "`localhost` "
                "(127.0.0.1) or `*` (all, IPv6 and IPv4).",
                "\"127.0.0.1:8080\""}),
     [](Decoder&, const Entry&, ListenSocket&) {}},
    {{"name", "text", "the service's, or its key", "What the service calls it, in LISTEN_FDNAMES.", "https"},
     [](Decoder& d, const Entry& e, ListenSocket& out) {
       if (check_name(d, *e.value, "a socket")) out.name = d.text(*e.value).value_or(out.name);
     }},
    {{"mode", "mode", "0666 minus umask", "Permissions of a unix socket, octal.", "\"0660\""},
     [](Decoder& d, const Entry& e, ListenSocket& out) { out.mode = d.octal(*e.value, 0777); }},
    {{"owner", "text", "belfry's user", "Owner of a unix socket.", "www-data"},
     [](Decoder& d, const Entry& e, ListenSocket& out) { out.owner = d.needed_text(*e.value).value_or(""); }},
    {{"group", "text", "belfry's group", "Group of a unix socket.", "www-data"},
     [](Decoder& d, const Entry& e, ListenSocket& out) { out.group = d.needed_text(*e.value).value_or(""); }},
    {{"backlog", "integer", "the system's", "How many connections may wait to be accepted (listen(2)).",
      "1024", fits_all, "1", "65535"},
     [](Decoder& d, const Entry& e, ListenSocket& out) {
       if (auto value = d.integer(*e.value, 1, 65535)) out.backlog = static_cast<std::uint32_t>(*value);
     }},
    {{"v6only", "boolean", "false", "An IPv6 socket takes no IPv4 connections.", "true"},
     [](Decoder& d, const Entry& e, ListenSocket& out) { out.v6only = d.boolean(*e.value).value_or(false); }},
    {{"reuse_port", "boolean", "false", "Others may bind the same port (SO_REUSEPORT).", "true"},
     [](Decoder& d, const Entry& e, ListenSocket& out) {
       out.reuse_port = d.boolean(*e.value).value_or(false);
     }},
}};

constexpr std::array<std::pair<std::string_view, LogFormat>, 3> formats{
    {{"text", LogFormat::text}, {"json", LogFormat::json}, {"raw", LogFormat::raw}}};
constexpr std::array<std::pair<std::string_view, LogOverflow>, 2> overflows{
    {{"drop", LogOverflow::drop}, {"block", LogOverflow::block}}};

constexpr std::uint64_t shortest_max_line = std::uint64_t{1} << 10;
constexpr std::uint64_t longest_max_line = std::uint64_t{64} << 20;

// `true` for where it is by itself, or a path.
void read_log_socket(Decoder& d, const Node& node, std::string_view usual, std::string& out) {
  if (node.is_scalar() && (node.text() == "true" || node.text() == "false")) {
    out = node.text() == "true" ? usual : "";
    return;
  }
  out = d.needed_text(node, "write true, or the path of a socket").value_or("");
}

constexpr std::array<Field<Log>, 12> log_table{{
    {{"stdout", "boolean", "true; false with `file`, `journald` or `syslog`",
      "Whether lines go to belfry's own output. With `false` they are read all the same, and `log` probes "
      "hear them.",
      "true"},
     [](Decoder& d, const Entry& e, Log& out) { out.to_stdout = d.boolean(*e.value).value_or(true); }},
    {{"file", "path", "none",
      "A file the lines are appended to. Several services may write to one file. SIGUSR2 to belfry opens all "
      "of them again.",
      "log/app.log"},
     [](Decoder& d, const Entry& e, Log& out) { out.file = d.needed_text(*e.value).value_or(""); }},
    {{"max_size", "size", "no rotation",
      "The file is rotated when it would grow beyond this: to FILE.1, that to FILE.2 and so on.", "10MiB"},
     [](Decoder& d, const Entry& e, Log& out) {
       const auto value = d.size(*e.value);
       if (value && *value == 0)
         d.error("bad-value", *e.value, "a log file cannot be kept at 0 bytes", "write a size such as 10MiB");
       out.max_size = value.value_or(0);
     }},
    {{"max_files", "integer", "5 when rotated", "How many files are kept, the current one included.", "5",
      fits_all, "1", "10000"},
     [](Decoder& d, const Entry& e, Log& out) {
       out.max_files = static_cast<std::uint32_t>(d.integer(*e.value, 1, 10'000).value_or(0));
     }},
    {{"max_age", "duration", "none", "A rotated file is removed when its last line is older than this.",
      "168h"},
     [](Decoder& d, const Entry& e, Log& out) { out.max_age = d.duration(*e.value).value_or(Duration(0)); }},
    {{"compress", "boolean", "false", "Rotated files are compressed (gzip): FILE.1.gz.", "true"},
     [](Decoder& d, const Entry& e, Log& out) { out.compress = d.boolean(*e.value).value_or(false); }},
    {{"format", "log_format", "text",
      "`text`: NAME | line; `json`: one object a line, with time, service, incarnation and stream; `raw`: "
      "the "
      "lines as they are.",
      "json"},
     [](Decoder& d, const Entry& e, Log& out) {
       out.format = d.choice<LogFormat>(*e.value, formats).value_or(LogFormat::text);
     }},
    {{"timestamps", "boolean", "false",
      "With `text`: the time (UTC) at which belfry has read the line stands in front.", "true"},
     [](Decoder& d, const Entry& e, Log& out) { out.timestamps = d.boolean(*e.value).value_or(false); }},
    {{"max_line", "size", "1MiB",
      "A longer line is cut into several, marked `[belfry: line cut here, goes on below]` at the end and "
      "`[belfry: line continued]` at the beginning, unless they are `raw`; between 1KiB and 64MiB. A `log` "
      "probe sees the pieces.",
      "256KiB"},
     [](Decoder& d, const Entry& e, Log& out) {
       const auto value = d.size(*e.value);
       if (value && (*value < shortest_max_line || *value > longest_max_line))
         d.error("bad-value", *e.value, "`max_line` must lie between 1KiB and 64MiB",
                 "write a size such as 256KiB");
       else
         out.max_line = value.value_or(0);
     }},
    {{"overflow", "log_overflow", "drop",
      "When the lines cannot be written fast enough: drop the oldest, or let the service wait.", "block"},
     [](Decoder& d, const Entry& e, Log& out) {
       out.overflow = d.choice<LogOverflow>(*e.value, overflows).value_or(LogOverflow::drop);
     }},
    {{"journald", "log_socket", "false",
      "Send the lines to systemd's journal, with service, incarnation and stream as fields. `true`: to "
      "/run/systemd/journal/socket.",
      "true"},
     [](Decoder& d, const Entry& e, Log& out) {
       read_log_socket(d, *e.value, "/run/systemd/journal/socket", out.journald);
     }},
    {{"syslog", "log_socket", "false",
      "Send the lines to the syslog daemon of this machine. `true`: to /dev/log.", "true"},
     [](Decoder& d, const Entry& e, Log& out) { read_log_socket(d, *e.value, "/dev/log", out.syslog); }},
}};

constexpr std::array<Field<Cgroup>, 3> cgroup_table{{
    {{"memory_max", "size", "none", "The service is killed when it would use more memory.", "512MiB"},
     [](Decoder& d, const Entry& e, Cgroup& out) { out.memory_max = d.size(*e.value); }},
    {{"cpu_max", "number", "none", "How many CPUs it may use.", "1.5", fits_all, "0.01", "10000"},
     [](Decoder& d, const Entry& e, Cgroup& out) { out.cpu_max = d.number(*e.value, 0.01, 10'000); }},
    {{"pids_max", "integer", "none", "How many processes and threads it may have.", "200", fits_all, "1",
      "4194304"},
     [](Decoder& d, const Entry& e, Cgroup& out) {
       if (auto value = d.integer(*e.value, 1, 4'194'304)) out.pids_max = static_cast<std::uint64_t>(*value);
     }},
}};

constexpr std::array<Field<ServiceExtras>, 1> reload_table{{
    {may_refer({"command", "command", "needed", "Run to make the service read its configuration again.",
                "[nginx, -s, reload]"}),
     [](Decoder& d, const Entry& e, ServiceExtras& out) { out.reload_command = d.command(*e.value); }},
}};

void read_one_socket(Decoder& decoder, const Node& node, std::string name, ServiceDraft& draft) {
  ListenSocket socket;
  socket.place = node.place();
  socket.name = std::move(name);
  if (node.is_mapping()) {
    decoder.mapping(node, "a socket", socket_fields(), socket);
    const Node* const address = node.find("address");
    if (address == nullptr)
      return decoder.error("missing-key", node, "a socket needs an `address`",
                           "write {address: \"127.0.0.1:8080\"}");
    read_socket_address(decoder, *address, draft.service.working_dir, socket);
    check_socket_options(decoder, node, socket);
  } else {
    read_socket_address(decoder, node, draft.service.working_dir, socket);
  }
  extras_of(draft.service).listen.push_back(std::move(socket));
}

std::uint64_t read_limit(Decoder& decoder, const Node& node, std::string_view resource) {
  if (node.text() == "unlimited" || node.text() == "infinity")
    return std::numeric_limits<std::uint64_t>::max();
  const bool count = resource == "nofile" || resource == "nproc" || resource == "cpu" || resource == "nice" ||
                     resource == "rtprio" || resource == "locks" || resource == "sigpending" ||
                     resource == "rttime";
  if (count)
    return static_cast<std::uint64_t>(
        decoder.integer(node, 0, std::numeric_limits<std::int64_t>::max()).value_or(0));
  return decoder.size(node).value_or(0);
}

}  // namespace

Fields<ListenSocket> socket_fields() { return socket_table; }
Fields<Log> log_fields() { return log_table; }
Fields<Cgroup> cgroup_fields() { return cgroup_table; }
Fields<ServiceExtras> reload_fields() { return reload_table; }

ServiceExtras& extras_of(Service& service) {
  if (!service.extras) service.extras = std::make_unique<ServiceExtras>();
  return *service.extras;
}

void decode_listen(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  if (node.is_sequence()) {
    for (const Node* item : node.items()) read_one_socket(decoder, *item, draft.service.name, draft);
  } else if (node.is_mapping() && node.find("address") == nullptr) {
    for (const Entry& entry : node.entries())
      if (check_name(decoder, *entry.key, "a socket"))
        read_one_socket(decoder, *entry.value, std::string(entry.key->text()), draft);
  } else {
    read_one_socket(decoder, node, draft.service.name, draft);
  }
}

void decode_rlimits(Decoder& decoder, const Node& node, ServiceExtras& out) {
  if (!decoder.expect_mapping(node, "`rlimits`")) return;
  for (const Entry& entry : node.entries()) {
    const std::string_view name = entry.key->text();
    const auto resource = limit_number(name);
    if (!resource) {
      decoder.error("unknown-key", *entry.key, "unknown limit `" + std::string(name) + "`",
                    text::did_you_mean(name, limit_names()));
      continue;
    }
    ResourceLimit limit{*resource, 0, 0};
    if (entry.value->is_mapping()) {
      const Node* const soft = entry.value->find("soft");
      const Node* const hard = entry.value->find("hard");
      if (soft == nullptr || hard == nullptr || entry.value->size != 2) {
        decoder.error("bad-value", *entry.value, "a limit is one value, or `{soft: …, hard: …}`",
                      "write nofile: {soft: 1024, hard: 4096}");
        continue;
      }
      limit.soft = read_limit(decoder, *soft, name);
      limit.hard = read_limit(decoder, *hard, name);
    } else {
      limit.soft = limit.hard = read_limit(decoder, *entry.value, name);
    }
    if (limit.soft > limit.hard)
      decoder.error("bad-value", *entry.value, "the soft limit is higher than the hard one", "swap them");
    out.rlimits.push_back(limit);
  }
}

}  // namespace belfry::config
