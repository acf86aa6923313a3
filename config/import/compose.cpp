#include "config/import/compose_service.hpp"
#include "config/import/extended.hpp"
#include "config/import/import.hpp"
#include "text/escape.hpp"

namespace belfry::config {
namespace {

std::set<std::string_view> awaited(const Node& services, std::string_view what) {
  std::set<std::string_view> names;
  for (const Entry& service : services.entries())
    if (const Node* const edges = service.value->find("depends_on"))
      for (const Entry& edge : edges->entries())
        if (const Node* const condition = edge.value->find("condition");
            condition != nullptr && condition->text() == what)
          names.insert(edge.key->text());
  return names;
}

void read_rest(Carrier& carrier, const Node& root, std::string& yaml) {
  const Node* const name = root.find("name");
  if (name != nullptr && name->is_scalar() && !name->text().empty())
    yaml += "name: " +
            (name->text().contains('$') ? text::json_string(name->text()) : service_key(name->text())) + "\n";
  for (const Entry& entry : root.entries()) {
    const std::string_view key = entry.key->text();
    if (key == "services" || key == "name" || key == "version" || key.starts_with("x-")) continue;
    carrier.left(*entry.key, "`" + std::string(key) + "`",
                 key == "include" ? "`docker compose config | belfry import compose -` has all of it"
                                  : "belfry runs programs of the host");
  }
}

}  // namespace

Imported import_compose(std::string_view text, std::string file_name, std::string directory) {
  Imported out;
  Document document({.foreign_tags = true});
  const Node* const root = parse_foreign(document, out.diagnostics, text, std::move(file_name));
  if (root == nullptr) return out;
  Carrier carrier(out.diagnostics);
  std::string yaml =
      "# From a compose file. Services share the host's network and files: look for names of\n# services in "
      "addresses and for paths of volumes.\n";
  read_rest(carrier, *root, yaml);
  const Node* const services = root->find("services");
  if (services == nullptr || !services->is_mapping() || services->size == 0) {
    out.diagnostics.error("no-services", root->span(), "the file has no services",
                          "check that this is a compose file");
    return out;
  }
  yaml += "services:\n";
  Extended extended(document, *services);
  ComposeFile file{carrier,
                   *services,
                   Names(*services),
                   Names(host_names(*services)),
                   std::move(directory),
                   root->find("secrets"),
                   awaited(*services, "service_completed_successfully"),
                   awaited(*services, "service_healthy"),
                   {}};
  for (const Entry& entry : services->entries())
    ComposeService(file, *entry.key, extended.of(*entry.value)).run().write(yaml);
  out.yaml = std::move(yaml);
  carrier.finish();
  return out;
}

}  // namespace belfry::config
