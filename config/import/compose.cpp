#include <unordered_map>
#include <unordered_set>

#include "config/import/compose_service.hpp"
#include "config/import/import.hpp"
#include "config/json.hpp"
#include "config/merge.hpp"

namespace belfry::config {
namespace {

std::set<std::string_view> awaited(Node const& services, std::string_view what) {
  std::set<std::string_view> names;
  for (Entry const& service : services.entries())
    if (Node const* const edges = service.value->find("depends_on"))
      for (Entry const& edge : edges->entries())
        if (Node const* const condition = edge.value->find("condition");
            condition != nullptr && condition->text() == what)
          names.insert(edge.key->text());
  return names;
}

// Services with what they extend laid under them, as compose does before anything else.
class Extended {
 public:
  Extended(Document& document, Node const& services) : document_(document), services_(services) {}

  // `service` itself where what it extends is not in this file; its `extends` is still there then.
  Node const& of(Node const& service, int depth = 0) {
    if (auto const known = done_.find(&service); known != done_.end()) return *known->second;
    Node const* result = &service;
    Node const* const base = base_of(service);
    // A service that extends itself meets this bound, as does an endless chain.
    if (base != nullptr && base != &service && depth < 32 && merged_ < most && !document_.overgrown()) {
      Node const& below = of(*base, depth + 1);
      if (below.find("extends") == nullptr) {
        Node const* const own =
            without(document_, service, [](Entry const& e) { return e.key->text() == "extends"; });
        result = merge(document_, below, *own);
        merged_ += result->size;
      }
    }
    return *done_.emplace(&service, result).first->second;
  }

 private:
  Node const* base_of(Node const& service) const {
    Node const* const extends = service.find("extends");
    if (extends == nullptr || extends->find("file") != nullptr) return nullptr;
    Node const* const name = extends->is_mapping() ? extends->find("service") : extends;
    Node const* const base = name == nullptr ? nullptr : services_.find(name->text());
    return base == nullptr || !base->is_mapping() ? nullptr : base;
  }

  static constexpr std::size_t most = 1'000'000;  // entries that merging may make
  Document& document_;
  Node const& services_;
  std::unordered_map<Node const*, Node const*> done_;
  std::size_t merged_ = 0;
};

void read_rest(Carrier& carrier, Node const& root, std::string& yaml) {
  Node const* const name = root.find("name");
  if (name != nullptr && name->is_scalar() && !name->text().empty())
    yaml += "name: " + (name->text().contains('$') ? json_string(name->text()) : service_key(name->text())) +
            "\n";
  for (Entry const& entry : root.entries()) {
    std::string_view const key = entry.key->text();
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
  Node const* const root = parse_foreign(document, out.diagnostics, text, std::move(file_name));
  if (root == nullptr) return out;
  Carrier carrier(out.diagnostics);
  std::string yaml =
      "# From a compose file. Services share the host's network and files: look for names of\n# services in "
      "addresses and for paths of volumes.\n";
  read_rest(carrier, *root, yaml);
  Node const* const services = root->find("services");
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
  for (Entry const& entry : services->entries())
    ComposeService(file, *entry.key, extended.of(*entry.value)).run().write(yaml);
  out.yaml = std::move(yaml);
  carrier.finish();
  return out;
}

}  // namespace belfry::config
