// Services with what they extend laid under them, as compose and process-compose do before anything else.
#pragma once

#include <unordered_map>

#include "config/document/document.hpp"

namespace belfry::config {

// Owner: one import, on its stack.
// Lifecycle: remembers what it has merged; what it returns lives as long as the document.
// Cancellation: none; what merging may make is bounded.
class Extended {
 public:
  Extended(Document& document, const Node& services) : document_(document), services_(services) {}

  // `service` itself where what it extends is not in this file, or leads back to it; its `extends` is still
  // there then.
  [[nodiscard]] const Node& of(const Node& service) { return of(service, 0); }
  // The service that `service` names; null if it names none of this file.
  [[nodiscard]] const Node* base_of(const Node& service) const;

 private:
  const Node& of(const Node& service, int depth);

  static constexpr std::size_t most = 1'000'000;  // entries that merging may make
  Document& document_;
  const Node& services_;
  std::unordered_map<const Node*, const Node*> done_;
  std::size_t merged_ = 0;
};

}  // namespace belfry::config
