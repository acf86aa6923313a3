// References to outputs: somebody publishes them, and an edge guarantees that they are there.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "config/keys/quote.hpp"
#include "config/model/output_reference.hpp"
#include "config/model/pattern.hpp"
#include "config/model/probes_of.hpp"
#include "config/validate/validate.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

using Kind = Probe::Kind;

// What is known of the outputs of a service before it runs.
struct Publications {
  std::set<std::string, std::less<>> keys;
  bool others_too = false;  // it speaks, or writes a file
};

bool is_any_port(const Probe& probe) {
  return probe.kind == Kind::port && probe.port == 0 && probe.target.empty();
}

void add_probe(const Probe& probe, Publications& out) {
  if (probe.kind == Kind::notify) out.others_too = true;
  if (is_any_port(probe)) out.keys.emplace("PORT");
  if (probe.kind != Kind::log) return;
  if (const auto pattern = Pattern::compile(probe.target, Pattern::Groups::keep))
    for (std::string& name : pattern->group_names()) out.keys.insert(std::move(name));
}

Publications publications_of(const Service& service) {
  Publications out;
  for (const Probe& probe : service.ready.probes) add_probe(probe, out);
  if (!service.extras) return out;
  for (const OwnBell& bell : service.extras->bells)
    for (const Probe& probe : bell.probes.probes) add_probe(probe, out);
  if (!service.extras->outputs.file.empty()) out.others_too = true;
  return out;
}

// The same without compiling a pattern.
bool may_publish(const Probe& probe) {
  return probe.kind == Kind::notify || is_any_port(probe) ||
         (probe.kind == Kind::log && probe.target.contains("(?P<"));
}

bool may_publish(const Service& service) {
  const auto some = [](const ProbeSet& set) {
    return std::ranges::any_of(set.probes, [](const Probe& probe) { return may_publish(probe); });
  };
  if (some(service.ready)) return true;
  return service.extras && (!service.extras->outputs.file.empty() ||
                            std::ranges::any_of(service.extras->bells, some, &OwnBell::probes));
}

bool is_of_cluster(const Service& service) { return !probes_of(service, Kind::cluster).empty(); }

bool names_host(const Service& service, std::string_view host) {
  return std::ranges::any_of(probes_of(service, Kind::cluster), [host](const Probe* probe) {
    return std::ranges::find(probe->cluster->hosts, host) != probe->cluster->hosts.end();
  });
}

// A oneshot without probes has published all it will when it has completed.
bool rings_before(Condition condition, const Service& provider) {
  if (condition == Condition::ready || condition == Condition::own_bell) return true;
  return condition == Condition::completed && provider.type == ServiceType::oneshot;
}

bool needs_all(const Quorum& quorum, const Service& gate) {
  return quorum.count == 0 || quorum.count >= gate.depends_on.size();
}

class OutputCheck {
 public:
  OutputCheck(Decoder& decoder, StackDraft& draft) : decoder_(decoder), draft_(draft) {}

  void check(const UsedOutput& used) {
    Service& user = draft_.stack.services[used.user];
    const std::optional<Provider> found = provider_of(used.written.service);
    if (!found) return unknown(used);
    const Service& provider = draft_.stack.services[found->index];
    if (cannot_publish(used, user, provider)) return;
    const std::optional<std::uint32_t> edge = guarantee(user, found->index);
    if (!edge) return not_guaranteed(used, user, provider);
    if (!is_of_cluster(provider)) warn_if_nobody_publishes(used, provider);
    const std::string& key = used.written.key;
    const std::string published = found->host.empty() ? key : key_of_host(found->host, key);
    std::vector<OutputReference>& references = extras_of(user).references;
    const auto same = [&](const OutputReference& one) {
      return one.provider == found->index && one.published == published;
    };
    if (std::ranges::none_of(references, same))
      references.push_back({.service = used.written.service,
                            .key = key,
                            .provider = found->index,
                            .edge = *edge,
                            .published = published});
  }

 private:
  void error(const UsedOutput& used, std::string_view rule, std::string message, std::string help) {
    if (is_repetition(draft_, used.user)) return;
    decoder_.diagnostics().error(rule, used.written.where, std::move(message), std::move(help));
  }

  struct Provider {
    std::uint32_t index = 0;
    std::string_view host;  // whose output it is, of a service that other hosts publish; empty: of all
  };
  // `kafka`, or `kafka.a`: what the host `a` has published of it. Names of services may have dots, too.
  std::optional<Provider> provider_of(std::string_view written) const {
    if (const auto found = draft_.declared.find(written); found != draft_.declared.end())
      return Provider{found->second.index, {}};
    for (std::size_t dot = written.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = written.rfind('.', dot - 1)) {
      const auto found = draft_.declared.find(written.substr(0, dot));
      if (found == draft_.declared.end()) continue;
      const std::string_view host = written.substr(dot + 1);
      if (names_host(draft_.stack.services[found->second.index], host))
        return Provider{found->second.index, host};
    }
    return std::nullopt;
  }

  static std::string text_of(const UsedOutput& used) {
    return written_out({.service = used.written.service, .key = used.written.key});
  }

  void unknown(const UsedOutput& used) {
    std::vector<std::string_view> names;
    if (++draft_.suggestions <= 50)
      for (const Service& service : draft_.stack.services) names.push_back(service.name);
    error(used, "unknown-service",
          "there is no service " + quote(used.written.service) + " whose " + quote(used.written.key) +
              " could be used",
          text::did_you_mean(used.written.service, names));
  }

  bool cannot_publish(const UsedOutput& used, const Service& user, const Service& provider) {
    if (&user == &provider) {
      error(used, "own-output", quote(user.name) + " cannot use its own output: it is known after the start",
            "publish it for others, and let the service itself remember it");
    } else if (provider.replicated) {
      error(used, "unfit-output",
            quote(provider.name) + " has replicas, and each of them publishes a " + quote(used.written.key) +
                " of its own",
            "name one of them: ${" + provider.name + "-1." + used.written.key + "}");
    } else if (provider.type == ServiceType::gate) {
      error(used, "unfit-output", "the gate " + quote(provider.name) + " publishes nothing",
            "use an output of one of its members");
    } else if (provider.type == ServiceType::external && !is_of_cluster(provider)) {
      error(used, "unfit-output",
            "belfry does not run the external service " + quote(provider.name) + ", which tells it nothing",
            "write what is known of it into the file, or pass it as a variable: ${" + used.written.key + "}");
    } else {
      return false;
    }
    return true;
  }

  // The first edge that holds only while `provider` is up with its outputs: its own, or one to a gate that
  // needs all its members. What is further down a chain may have gone again when this service starts.
  std::optional<std::uint32_t> guarantee(const Service& user, std::uint32_t provider) {
    for (std::uint32_t i = 0; i < user.depends_on.size(); ++i) {
      std::unordered_set<std::uint32_t> seen;
      if (guarantees(user.depends_on[i], provider, seen)) return i;
    }
    return std::nullopt;
  }

  bool guarantees(const Dependency& edge, std::uint32_t provider, std::unordered_set<std::uint32_t>& seen) {
    const Service& target = draft_.stack.services[edge.target];
    if (!edge.required) return false;
    if (edge.target == provider) return rings_before(edge.condition, target);
    if (target.type != ServiceType::gate || !seen.insert(edge.target).second) return false;
    if (!needs_all(edge.require.value_or(target.require), target)) return false;
    // A condition other than `ready` is asked of the members themselves.
    if (edge.condition != Condition::ready)
      return std::ranges::any_of(target.depends_on, [&](const Dependency& member) {
        return member.target == provider && rings_before(edge.condition, draft_.stack.services[provider]);
      });
    return std::ranges::any_of(target.depends_on,
                               [&](const Dependency& member) { return guarantees(member, provider, seen); });
  }

  void not_guaranteed(const UsedOutput& used, const Service& user, const Service& provider) {
    const auto own = std::ranges::find_if(user.depends_on, [&](const Dependency& edge) {
      return &draft_.stack.services[edge.target] == &provider;
    });
    const std::string names = quote(user.name) + " uses " + text_of(used);
    const bool completes = provider.type == ServiceType::oneshot && provider.ready.empty();
    const std::string right =
        std::string("depends_on: {") + provider.name + (completes ? ": completed}" : ": ready}");
    if (own == user.depends_on.end())
      error(used, "unguarded-output", names + " and does not wait for " + quote(provider.name),
            "write " + right + ": an output is known when the bell of its service has rung");
    else if (!own->required)
      error(used, "unguarded-output", names + " and can start without " + quote(provider.name),
            "remove `required: false`: without " + quote(provider.name) + " there is no such output");
    else
      error(used, "unguarded-output",
            names + " and does not wait until " + quote(provider.name) +
                (completes ? " has completed" : " is ready"),
            "write " + right + ": an output is known when the bell of its service has rung");
  }

  void warn_if_nobody_publishes(const UsedOutput& used, const Service& provider) {
    if (is_repetition(draft_, used.user)) return;
    const auto [place, is_new] = known_.try_emplace(&provider);
    Publications& known = place->second;
    if (is_new) known = publications_of(provider);
    if (known.others_too || known.keys.contains(used.written.key)) return;
    const std::vector<std::string_view> keys(known.keys.begin(), known.keys.end());
    const std::string key = used.written.key;
    std::string help = text::nearest(key, keys).empty()
                           ? "let " + quote(provider.name) + " say X_BELFRY_SET=" + key +
                                 "=… with READY=1 (ready: notify), write a group (?P<" + key +
                                 ">…) into its `log` probe, or outputs: {file: PATH}" +
                                 (key == "PORT" ? ", or ready: {port: any}" : "")
                           : text::did_you_mean(key, keys);
    decoder_.diagnostics().warning(
        "unpublished-output", used.written.where,
        "nothing of " + quote(provider.name) + " is known to publish " + quote(key), std::move(help));
  }

  Decoder& decoder_;
  StackDraft& draft_;
  std::unordered_map<const Service*, Publications> known_;  // of those that are referred to
};

// In the environment of the command of `exec`.
void check_variables(Decoder& decoder, const StackDraft& draft) {
  std::unordered_map<std::string, const Service*> first;
  for (std::uint32_t i = 0; i < draft.stack.services.size(); ++i) {
    const Service& service = draft.stack.services[i];
    if (is_repetition(draft, i) || !may_publish(service)) continue;
    const auto [known, is_new] =
        first.emplace(output_variable({.service = service.name, .key = {}}), &service);
    if (is_new) continue;
    decoder.diagnostics().warning(
        "same-variable", Span(service.place),
        "outputs of " + quote(service.name) + " and of " + quote(known->second->name) +
            " have the same variables in the environment of `belfry exec`",
        "name one of them differently: what both would set, such as " + known->first + "PORT, is not set");
  }
}

}  // namespace

void check_outputs(Decoder& decoder, StackDraft& draft) {
  check_variables(decoder, draft);
  OutputCheck check(decoder, draft);
  for (const UsedOutput& used : draft.references) check.check(used);
}

}  // namespace belfry::config
