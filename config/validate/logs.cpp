// What services that share a log file must agree on.
#include <unordered_map>

#include "config/keys/quote.hpp"
#include "config/validate/validate.hpp"

namespace belfry::config {
namespace {

bool rotate_alike(const Log& a, const Log& b) {
  return a.max_size == b.max_size && a.max_files == b.max_files && a.max_age == b.max_age &&
         a.compress == b.compress;
}

}  // namespace

Span log_span(const StackDraft& draft, std::size_t service) {
  const Node* const written = draft.origins[service].mapping->find("log");
  return written != nullptr ? written->span() : Span(draft.stack.services[service].place);
}

void check_logs(Decoder& decoder, const StackDraft& draft) {
  std::unordered_map<std::string_view, std::size_t> first_of;
  for (std::size_t i = 0; i < draft.stack.services.size(); ++i) {
    const Service& service = draft.stack.services[i];
    if (!service.enabled || !service.extras || service.extras->log.file.empty()) continue;
    const auto [first, fresh] = first_of.try_emplace(service.extras->log.file, i);
    const Service& other = draft.stack.services[first->second];
    if (fresh || rotate_alike(other.extras->log, service.extras->log)) continue;
    decoder.diagnostics().add(
        {Severity::error,
         "log-file-shared",
         log_span(draft, i),
         quote(service.name) + " and " + quote(other.name) +
             " write to the same log file, and rotate it differently",
         "give both the same max_size, max_files, max_age and compress, or each its own file",
         {{log_span(draft, first->second), quote(other.name) + " says it here"}}});
  }
}

}  // namespace belfry::config
