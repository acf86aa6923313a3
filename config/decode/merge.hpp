// Laying one mapping over another: several files, `extends`, `defaults`.
#pragma once

#include <functional>
#include <string_view>

#include "config/document/document.hpp"

namespace belfry::config {

// `high` over `low`: mappings merge key by key, everything else of `high` replaces. Where a value has
// a short spelling (an `environment` as list, a `restart` as text), both are brought to the long one
// first. A probe's kind in `high` takes the place of the kind in `low`. In a document that has grown beyond
// its limits `high` itself: see Decoder::overgrown.
[[nodiscard]] const Node* merge(Document& document, const Node& low, const Node& high);

// `node` without the entries whose key `drop` says yes to.
[[nodiscard]] const Node* without(Document& document, const Node& node,
                                  const std::function<bool(const Entry&)>& drop);

}  // namespace belfry::config
