// What the ports of a compose file say: where a program binds, which is how one knows that it is ready.
#include <algorithm>

#include "config/import/compose_service.hpp"
#include "config/import/port_mapping.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

// An item in its short or its long form.
PortMapping mapping_of(const Node& item) {
  if (!item.is_mapping()) return read_port_mapping(item.text());
  const auto text = [&](std::string_view key) {
    const Node* const found = item.find(key);
    return found == nullptr ? std::string() : std::string(found->text());
  };
  PortMapping out = read_port_mapping(text("target"));
  out.udp = out.udp || text("protocol") == "udp";
  const std::string host = text("host_ip");
  out.published = (host.empty() ? "" : host + ":") + text("published");
  return out;
}

}  // namespace

// Whether no service further up has the port: containers may all have the same one, processes of one host may
// not.
bool ComposeService::claim(const std::string& port) {
  // Services of a profile may never run beside each other; `check` knows when they do.
  if (const Node* const profiles = find("profiles"); profiles != nullptr && profiles->size > 0) return true;
  const auto [holder, fresh] = file_.ports.emplace(port, out_.name());
  if (fresh || holder->second == out_.name()) return true;
  out_.comment("decide: port " + port + " is taken by `" + holder->second +
               "` above; in containers both could have it");
  return false;
}

// Ports that say nothing of readiness, because something else does. What is bound twice is told all the same.
void ComposeService::unused_ports() {
  for (const Entry& entry : node_.entries()) {
    const std::string_view name = entry.key->text();
    if ((name != "ports" && name != "expose") || entry.value->is_null() || entry.value->is_mapping())
      continue;
    left(entry, "the program binds its ports itself, and nothing maps them to others");
    for (const Node* item : items_of(*entry.value)) {
      const PortMapping port = mapping_of(*item);
      if (is_port_number(port.container) && !port.udp) (void)claim(port.container);
    }
  }
}

// The probe for one item of `ports` or `expose`; empty if there is none.
std::string ComposeService::port_probe(const Node& item, bool maps) {
  const PortMapping port = mapping_of(item);
  const std::string written =
      "the port `" + (item.is_scalar() ? std::string(item.text()) : port.container) + "`";
  const auto list = [&](std::string why) { file_.carrier.left(item, written, std::move(why), key_.text()); };
  const bool anything =
      maps && item.is_scalar() && port.published.empty() && is_bare_variable(port.container);
  if (!is_port(port.container) || anything) {
    list("write ready: {port: N} with the port the program binds");
    out_.comment("decide: which port of `" + port.container + "` the program binds");
    return {};
  }
  if (!claim(port.udp ? "udp " + port.container : port.container)) {
    list("two services of one host cannot bind one port: give it another");
    return {};
  }
  published(item, port);
  const std::string number =
      is_port_number(port.container) ? port.container : text::json_string(port.container);
  return port.udp ? "{port: {udp: " + number + "}}" : "{port: " + number + "}";
}

// Whether `expose` names a port that `ports` does not.
bool ComposeService::exposes_more(const Node& expose, const Node& ports) {
  std::set<std::string> named;
  for (const Node* item : items_of(ports)) named.insert(mapping_of(*item).container);
  return std::ranges::any_of(items_of(expose),
                             [&](const Node* item) { return !named.contains(mapping_of(*item).container); });
}

// What stands before the port that the program binds.
void ComposeService::published(const Node& item, const PortMapping& port) {
  if (item.is_mapping()) known_only(item, "ports", {"target", "published", "protocol", "host_ip"});
  if (port.published.empty() || port.published == port.container) return;
  file_.carrier.left(item, "publishing `" + port.published + ":" + port.container + "`",
                     "nothing maps ports here: clients find the program where it binds", key_.text());
}

void ComposeService::listening(const Node& ports, bool maps) {
  std::vector<std::string> probes;
  for (const Node* item : items_of(ports)) {
    std::string probe = port_probe(*item, maps);
    if (!probe.empty() && std::ranges::find(probes, probe) == probes.end())
      probes.push_back(std::move(probe));
  }
  if (probes.empty()) return;
  if (probes.size() > 32) return out_.comment("decide: which of its many ports tell that it is ready");
  out_.comment("the port the program binds; nothing maps it to another one");
  std::string list;
  for (const std::string& probe : probes) list += (list.empty() ? "" : ", ") + probe;
  out_.key("ready", probes.size() == 1 ? probes.front() : "[" + list + "]");
}

}  // namespace belfry::config
