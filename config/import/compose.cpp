#include <set>

#include "config/import/compose_service.hpp"
#include "config/import/import.hpp"

namespace belfry::config {
namespace {

std::set<std::string_view> completed_targets(Node const& services) {
  std::set<std::string_view> names;
  for (Entry const& service : services.entries())
    if (Node const* const edges = service.value->find("depends_on"))
      for (Entry const& edge : edges->entries())
        if (Node const* const condition = edge.value->find("condition");
            condition != nullptr && condition->text() == "service_completed_successfully")
          names.insert(edge.key->text());
  return names;
}

}  // namespace

Imported import_compose(std::string_view text, std::string file_name) {
  Imported out;
  Document document;
  Node const* const root = parse_foreign(document, out.diagnostics, text, std::move(file_name));
  if (root == nullptr) return out;
  Carrier carrier(out.diagnostics);
  std::string yaml =
      "# From a compose file. Services share the host's network and files: look for names of\n# services in "
      "addresses and for paths of volumes.\n";
  if (Node const* name = root->find("name"); name != nullptr && name->is_scalar())
    yaml += "name: " + service_key(name->text()) + "\n";
  for (Entry const& entry : root->entries()) {
    std::string_view const name = entry.key->text();
    if (name != "services" && name != "name" && name != "version" && !name.starts_with("x-"))
      carrier.left(*entry.key, "`" + std::string(name) + "`", "belfry runs programs of the host");
  }
  Node const* const services = root->find("services");
  if (services == nullptr || !services->is_mapping()) {
    out.diagnostics.error("no-services", root->span(), "the file has no services",
                          "check that this is a compose file");
    return out;
  }
  yaml += "services:\n";
  std::set<std::string> ports;
  auto const oneshots = completed_targets(*services);
  for (Entry const& entry : services->entries())
    ComposeService(carrier, *entry.key, *entry.value, oneshots.contains(entry.key->text()), ports)
        .run()
        .write(yaml);
  out.yaml = std::move(yaml);
  out.diagnostics.finish();
  return out;
}

}  // namespace belfry::config
