#include "config/import/extended.hpp"

#include "config/decode/merge.hpp"

namespace belfry::config {

Node const& Extended::of(Node const& service, int depth) {
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

Node const* Extended::base_of(Node const& service) const {
  Node const* const extends = service.find("extends");
  if (extends == nullptr || extends->find("file") != nullptr) return nullptr;
  Node const* const name = extends->is_mapping() ? extends->find("service") : extends;
  Node const* const base = name == nullptr || !name->is_scalar() ? nullptr : services_.find(name->text());
  return base == nullptr || !base->is_mapping() ? nullptr : base;
}

}  // namespace belfry::config
