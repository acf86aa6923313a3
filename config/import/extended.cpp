#include "config/import/extended.hpp"

#include "config/decode/merge.hpp"

namespace belfry::config {

const Node& Extended::of(const Node& service, int depth) {
  if (const auto known = done_.find(&service); known != done_.end()) return *known->second;
  const Node* result = &service;
  const Node* const base = base_of(service);
  // A service that extends itself meets this bound, as does an endless chain.
  if (base != nullptr && base != &service && depth < 32 && merged_ < most && !document_.overgrown()) {
    const Node& below = of(*base, depth + 1);
    if (below.find("extends") == nullptr) {
      const Node* const own =
          without(document_, service, [](const Entry& e) { return e.key->text() == "extends"; });
      result = merge(document_, below, *own);
      merged_ += result->size;
    }
  }
  return *done_.emplace(&service, result).first->second;
}

const Node* Extended::base_of(const Node& service) const {
  const Node* const extends = service.find("extends");
  if (extends == nullptr || extends->find("file") != nullptr) return nullptr;
  const Node* const name = extends->is_mapping() ? extends->find("service") : extends;
  const Node* const base = name == nullptr || !name->is_scalar() ? nullptr : services_.find(name->text());
  return base == nullptr || !base->is_mapping() ? nullptr : base;
}

}  // namespace belfry::config
