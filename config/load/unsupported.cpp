#include "config/load/unsupported.hpp"

#include <set>
#include <string_view>
#include <tuple>

namespace belfry::config {

namespace {

// What is known of a value alone: a scheme, a number, two keys together.
class Collector {
 public:
  explicit Collector(Loaded& loaded) : found_(loaded.diagnostics) {
    keys(loaded);
    for (const Service& service : loaded.stack.services) values(service);
  }

 private:
  void keys(const Loaded& loaded) {
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, bool>>
        said;  // replicas repeat themselves
    for (const NotYet& use : loaded.not_yet) {
      enabled_ = use.service == NotYet::nowhere || loaded.stack.services[use.service].enabled;
      if (said.emplace(use.where.file, use.where.line, use.where.column, enabled_).second)
        refuse(use.where, refusal_of(use), help_of(use));
    }
  }

  void values(const Service& s) {
    enabled_ = s.enabled;
    refuse_if(s, s.ready.probes.size() > 32,
              "more than 32 probes in one `ready`");  // Readiness keeps a bit for each
    refuse_if(s, s.live && s.live->probes.size() > 32, "more than 32 probes in one `live`");
    if (!s.extras) return;
    const ServiceExtras& e = *s.extras;
    refuse_if(s, e.bells.size() > 32, "more than 32 own bells");  // Readiness keeps a bit for each
    refuse_if(s, e.tty && e.log.inherit, "`tty` together with `log: inherit`");
  }

  void refuse_if(const Service& s, bool used, std::string_view what) {
    if (used)
      refuse(Span(s.place), "cannot use " + std::string(what) + ": this version does not support it yet",
             "remove it, or use a version that has it");
  }

  void refuse(Span where, std::string message, std::string help) {
    if (enabled_)
      found_.error("not-yet", where, std::move(message), std::move(help));
    else
      found_.warning("not-yet", where, std::move(message),
                     "no profile enables this service: it matters when it is started by name");
  }

  Diagnostics& found_;
  bool enabled_ = true;
};

}  // namespace

void refuse_unsupported(Loaded& loaded) {
  if (loaded.diagnostics.has_errors()) return;
  Collector collector(loaded);
  loaded.diagnostics.finish();
}

}  // namespace belfry::config
