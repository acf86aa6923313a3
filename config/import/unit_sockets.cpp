// The socket units of a service.
#include <algorithm>

#include "config/import/unit_service.hpp"
#include "config/import/unit_values.hpp"

namespace belfry::config {
namespace {

// `80`, `127.0.0.1:80`, `[::1]:80`, `/run/x`, `@x` as belfry writes them; empty for what it has not.
std::string address_of(std::string_view written, bool datagrams) {
  if (written.starts_with('/') || written.starts_with('@'))
    return datagrams || written.size() > 100 ? "" : "unix:" + std::string(written);
  const std::string host = written.contains(':') ? std::string(written) : "*:" + std::string(written);
  return is_own_address(host) ? (datagrams ? "udp:" : "") + host : "";
}

}  // namespace

void UnitService::sockets() {
  if (const auto found = set_.sockets.find(&unit_); found != set_.sockets.end()) sockets_ = found->second;
  std::vector<std::string> listen;
  for (const Unit* const unit : sockets_) socket(*unit, listen);
  if (listen.empty()) sockets_.clear();
  out_.items("listen", listen);
}

void UnitService::socket(const Unit& unit, std::vector<std::string>& listen) {
  const auto value = [&](std::string_view key) { return unit.last("Socket", key); };
  const auto skipped = [&](const UnitSetting& at, std::string what, std::string why) {
    set_.carrier.left(at.at(), std::move(what), std::move(why), unit.name);
  };
  const UnitSetting* const accept = value("Accept");
  if (accept != nullptr && unit_boolean(accept->value()).value_or(false))
    return skipped(*accept, "`Accept=yes`", "belfry hands the socket itself to one process");
  std::string options;
  const auto option = [&](std::string_view key, std::string_view name, auto&& read) {
    const UnitSetting* const at = value(key);
    if (at == nullptr) return std::string();
    const std::optional<std::string> text = read(at->value());
    if (!text) skipped(*at, "`" + std::string(key) + "=`", "its value is not one that belfry has");
    return text && !text->empty() ? ", " + std::string(name) + ": " + *text : std::string();
  };
  const auto as_text = [&](std::string_view text) { return std::optional(yaml_text(dollars_doubled(text))); };
  const auto as_flag = [](std::string_view text) {
    return std::optional<std::string>(unit_boolean(text).value_or(false) ? "true" : "");
  };
  const std::string name = option("FileDescriptorName", "name", [&](std::string_view text) {
    return service_name(text) == text ? as_text(text) : std::nullopt;
  });
  const std::string of_files = option("SocketMode", "mode", unit_mode) +
                               option("SocketUser", "owner", as_text) +
                               option("SocketGroup", "group", as_text);
  const std::string of_streams = option("Backlog", "backlog", [](std::string_view text) {
    const auto count = unit_number(text, 1, 65535);
    return count ? std::optional(std::to_string(*count)) : std::optional<std::string>("");
  });
  const std::string of_hosts = option("ReusePort", "reuse_port", as_flag);
  const std::string of_v6 = option("BindIPv6Only", "v6only", [](std::string_view text) {
    return std::optional<std::string>(text == "ipv6-only" ? "true" : "");
  });
  for (const std::string_view kind : {"ListenStream", "ListenDatagram"})
    for (const UnitSetting* const at : unit.all("Socket", kind)) {
      const bool datagrams = kind == "ListenDatagram";
      const std::string written = set_.specifiers.plain(unit, at->value());
      const std::string address = address_of(written, datagrams);
      if (address.empty() || oneshot_ || !set_.addresses.insert(address).second) {
        skipped(*at, "`" + std::string(kind) + "=" + written.substr(0, 100) + "`",
                oneshot_          ? "only a daemon is handed sockets"
                : address.empty() ? "it is a port, an address with a port, or the path of a stream socket"
                                  : "it is bound already");
        continue;
      }
      const bool file = address.starts_with("unix:");
      options = name + (file ? (address.starts_with("unix:@") ? "" : of_files) : of_hosts);
      if (!datagrams) options += of_streams;
      if (!file && address.contains('[')) options += of_v6;
      const std::string text = yaml_text(dollars_doubled(address));
      listen.push_back(options.empty() ? text : "{address: " + text + options + "}");
    }
}

}  // namespace belfry::config
