// From the mapping `services` to a list of services: extends, defaults, replicas.
#include <algorithm>
#include <array>
#include <iterator>
#include <ranges>
#include <unordered_map>

#include "config/decode/decode.hpp"
#include "config/decode/merge.hpp"
#include "config/decode/probe_kinds.hpp"
#include "config/model/enum_names.hpp"
#include "config/model/output_reference.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

// A service as it is known before its keys are read.
struct Outline {
  const Node* key = nullptr;
  const Node* mapping = nullptr;  // with extends and defaults
  ServiceType type = ServiceType::daemon;
  std::uint32_t replicas = 0;  // 0: not replicated
  bool readable = true;        // false: not a mapping, reported
};

class Outliner {
 public:
  Outliner(Decoder& decoder, StackDraft& draft) : decoder_(decoder), draft_(draft) {
    for (const Entry& entry : draft.services->entries()) named_.emplace(entry.key->text(), &entry);
  }

  std::vector<Outline> run() {
    std::vector<Outline> out;
    out.reserve(draft_.services->size);
    for (const Entry& entry : draft_.services->entries()) {
      const bool again = named_.at(entry.key->text()) != &entry;  // reported by the document
      if (!again && check_name(decoder_, *entry.key, "a service")) out.push_back(outline(entry));
      if (decoder_.overgrown(*entry.key)) return {};
    }
    return out;
  }

 private:
  Outline outline(const Entry& entry) {
    Outline one;
    one.key = entry.key;
    one.mapping = extended(entry, 0);
    if (!one.mapping->is_mapping()) {
      if (!one.mapping->is_null())
        decoder_.mismatch(*one.mapping, "a service as a mapping of keys to values");
      one.readable = one.mapping->is_null();
      one.mapping = decoder_.document().make_mapping(entry.key->place(), {});
    }
    if (const Node* type = one.mapping->find("type"); type != nullptr && !type->is_null())
      one.type = decoder_.choice<ServiceType>(*type, service_type_names()).value_or(ServiceType::daemon);
    if (draft_.defaults != nullptr) lay_over_defaults(one);
    const Node* const replicas = one.mapping->find("replicas");
    if (replicas != nullptr && (fit_of(one.type) & fits_process) != 0)
      if (auto count = decoder_.integer(*replicas, 1, 10'000))
        one.replicas = static_cast<std::uint32_t>(*count);
    total_ += 1 + one.replicas;
    if (total_ > most_services) {
      if (one.replicas > 0 && replicas != nullptr)
        decoder_.error("too-large", *replicas, "replicas make this more than 100000 services",
                       "use fewer replicas");
      one.replicas = 0;
    }
    decoder_.document().derive((one.key->cost + one.mapping->cost) * std::max(1U, one.replicas));
    return one;
  }

  // Follows `extends` up to the root of the chain. A chain longer than the number of services is a cycle.
  const Node* extended(const Entry& entry, std::size_t depth) {
    const Node* const base = entry.value->is_mapping() ? entry.value->find("extends") : nullptr;
    if (base == nullptr) return entry.value;
    const Node* const own =
        without(decoder_.document(), *entry.value, [](const Entry& e) { return e.key->text() == "extends"; });
    const auto name = decoder_.text(*base);
    if (!name) return own;
    const auto found = named_.find(*name);
    if (found == named_.end()) {
      std::vector<std::string_view> names;
      if (++draft_.suggestions <= 50)
        for (const Entry& known : draft_.services->entries()) names.push_back(known.key->text());
      decoder_.error("unknown-extends", *base,
                     "`" + std::string(entry.key->text()) + "` extends `" + *name + "`, which does not exist",
                     names.empty() ? "add a service of this name" : text::did_you_mean(*name, names));
      return own;
    }
    if (depth >= 32 || *name == entry.key->text()) {
      decoder_.error("extends-cycle", *base,
                     "`extends` leads back to where it began, or through more than 32 services",
                     "let the chain end somewhere");
      return own;
    }
    const Node* const below = extended(*found->second, depth + 1);
    const Node* const own_type = own->find("type");
    if (own_type == nullptr) return merge(decoder_.document(), *below, *own);
    return merge(decoder_.document(), *fitting(*below, own_type->text()), *own);
  }

  // What of `base` makes sense for a service of another type.
  const Node* fitting(const Node& base, std::string_view type) {
    const auto known = service_type_named(type);
    if (!known) return &base;
    return without(decoder_.document(), base,
                   [&](const Entry& entry) { return (fits_of(entry.key->text()) & fit_of(*known)) == 0; });
  }

  static Fits fits_of(std::string_view name) {
    for (const Field<ServiceDraft>& field : service_fields())
      if (field.key.name == name) return field.key.fits;
    return fits_all;  // unknown: reported when the service is read
  }

  // Defaults that do not fit the type of the service are skipped, and so is tuning for a probe it does
  // not have, and a restart policy where `main` implies one.
  void lay_over_defaults(Outline& one) {
    const Fits fit = fit_of(one.type);
    const bool main = one.mapping->find("main") != nullptr && one.mapping->find("main")->text() == "true";
    const Node* const kept = without(decoder_.document(), *draft_.defaults, [&](const Entry& entry) {
      const std::string_view name = entry.key->text();
      if (name == "restart" && main) return true;
      const bool probe = name == "ready" || name == "live";
      if (probe && one.mapping->find(name) == nullptr && entry.value->is_mapping() &&
          std::ranges::none_of(entry.value->entries(), [](const Entry& e) {
            return is_probe_kind(e.key->text()) || e.key->text() == "any";
          }))
        return true;
      return (fits_of(name) & fit) == 0;
    });
    one.mapping = merge(decoder_.document(), *kept, *one.mapping);
  }

  Decoder& decoder_;
  StackDraft& draft_;
  static constexpr std::size_t most_services = 100'000;
  std::unordered_map<std::string_view, const Entry*> named_;
  std::size_t total_ = 0;
};

void resolve_paths(Decoder& decoder, Service& service) {
  const auto probes = [&](ProbeSet& set) {
    for (Probe& probe : set.probes) {
      const bool path = probe.kind == Probe::Kind::file ||
                        (probe.kind == Probe::Kind::unix_socket && !probe.target.starts_with('@'));
      // One that begins with an output may be absolute: that is seen when it is known.
      if (path && !probe.target.empty() && probe.target.front() != '\0')
        probe.target = decoder.absolute(probe.target, service.working_dir);
      if (!probe.tls) continue;
      for (std::string* file : {&probe.tls->ca, &probe.tls->cert, &probe.tls->key})
        if (!file->empty()) *file = decoder.absolute(*file, service.working_dir);
    }
  };
  probes(service.ready);
  if (service.live) probes(*service.live);
  if (!service.extras) return;
  for (OwnBell& bell : service.extras->bells) probes(bell.probes);
  if (!service.extras->outputs.file.empty())
    service.extras->outputs.file = decoder.absolute(service.extras->outputs.file, service.working_dir);
  Log& log = service.extras->log;
  for (std::string* path : {&log.file, &log.journald, &log.syslog})
    if (!path->empty()) *path = decoder.absolute(*path, service.working_dir);
}

// `environment` wins over the files; the order of first appearance stays.
void join_environment(ServiceDraft& draft) {
  if (draft.env_file.empty()) return;
  std::unordered_map<std::string_view, std::size_t> at;
  for (std::size_t i = 0; i < draft.env_file.size(); ++i) at.emplace(draft.env_file[i].first, i);
  Pairs fresh;
  for (auto& [name, value] : draft.service.environment) {
    if (const auto known = at.find(name); known != at.end())
      draft.env_file[known->second].second = std::move(value);
    else
      fresh.emplace_back(std::move(name), std::move(value));
  }
  draft.env_file.insert(draft.env_file.end(), std::make_move_iterator(fresh.begin()),
                        std::make_move_iterator(fresh.end()));
  draft.service.environment = std::move(draft.env_file);
}

// What refers to outputs is not known before the start.
void set_late_environment_apart(Service& service) {
  const auto is_late = [](const auto& variable) { return has_reference(variable.second); };
  if (std::ranges::none_of(service.environment, is_late)) return;
  std::ranges::copy_if(service.environment, std::back_inserter(extras_of(service).late_environment), is_late);
  std::erase_if(service.environment, is_late);
}

// Whether an unknown key of the mapping seems to mean `name`: that is said already, and once is enough.
bool meant_by_another_key(const Node& mapping, std::string_view name) {
  const std::array wanted{name};
  return std::ranges::any_of(mapping.entries(), [&](const Entry& entry) {
    const std::string_view key = entry.key->text();
    const bool known =
        std::ranges::any_of(service_fields(), [&](const auto& f) { return f.key.name == key; });
    return !known && (!text::nearest(key, wanted).empty() ||
                      foreign_key_help(key).contains("`" + std::string(name) + ":"));
  });
}

void require_what_the_type_needs(Decoder& decoder, const Outline& outline, const Service& service) {
  const Node* const mapping = outline.mapping;
  if ((fit_of(service.type) & fits_process) != 0 && mapping->find("command") == nullptr &&
      !meant_by_another_key(*mapping, "command"))
    decoder.error("missing-key", *outline.key, "`" + service.name + "` has no `command`",
                  "add one; or `type: external` for what belfry does not run, `type: gate` for a milestone");
  if (service.type == ServiceType::external && mapping->find("ready") == nullptr &&
      !meant_by_another_key(*mapping, "ready"))
    decoder.error("missing-key", *outline.key, "`" + service.name + "` is external and has no `ready` probe",
                  "add one, such as ready: {tcp: \"db.example.org:5432\"}");
}

Service read_service(Decoder& decoder, StackDraft& stack, const Outline& outline, std::string name) {
  ServiceDraft draft{{}, stack, fit_of(outline.type), {}, false, outline.key->text()};
  Service& service = draft.service;
  service.name = std::move(name);
  service.type = outline.type;
  service.place = outline.key->place();
  const auto work_in = [&](const std::string& path) {
    if (stack.working_dir.str() != path) stack.working_dir = path;
    service.working_dir = stack.working_dir;
  };
  if (const Node* dir = outline.mapping->find("working_dir"); dir != nullptr && dir->is_scalar()) {
    if (auto path = decoder.needed_text(*dir, "write a directory, or remove the key for the file's own"))
      work_in(decoder.absolute(*path));
  } else if (dir != nullptr && !dir->is_null()) {
    decoder.mismatch(*dir, "a path");
  }
  if (service.working_dir.empty()) work_in(decoder.directory());
  if (service.type == ServiceType::oneshot) service.restart->policy = RestartPolicy::no;
  const std::size_t noted = decoder.not_yet().size();
  decoder.mapping(*outline.mapping, "a service", service_fields(), draft, draft.fit);
  for (WrittenReference& written : decoder.take_references())
    stack.references.push_back({static_cast<std::uint32_t>(stack.stack.services.size()), std::move(written)});
  for (NotYet& use : decoder.not_yet() | std::views::drop(noted))
    use.service = static_cast<std::uint32_t>(stack.stack.services.size());  // what this one will be
  if (service.main && !draft.restart_written) service.restart->policy = RestartPolicy::no;
  if (outline.readable) require_what_the_type_needs(decoder, outline, service);
  // What runs at night is not missing by day.
  if (service.extras && service.extras->schedule && outline.mapping->find("health") == nullptr)
    service.extras->health_ignore = true;
  join_environment(draft);
  set_late_environment_apart(service);
  resolve_paths(decoder, service);
  return std::move(draft.service);
}

void declare(Decoder& decoder, StackDraft& draft, std::string_view name, Declared what, const Node& key) {
  if (draft.declared.emplace(name, what).second) return;
  decoder.error("duplicate-name", key,
                "a replica takes the name `" + std::string(name) + "`, which is there already",
                "rename one of them");
}

std::string_view kept_name(Decoder& decoder, const Outline& outline, std::uint32_t number) {
  return decoder.document()
      .make_scalar(outline.key->place(), std::string(outline.key->text()) + "-" + std::to_string(number))
      ->text();
}

// The gate first, then its replicas: gate.index + n is the index of replica n.
void declare_all(Decoder& decoder, StackDraft& draft, const std::vector<Outline>& outlines) {
  draft.declared.reserve(outlines.size());
  std::uint32_t index = 0;
  for (const Outline& one : outlines) {
    declare(decoder, draft, one.key->text(), {index++, one.replicas > 0 ? ServiceType::gate : one.type},
            *one.key);
    for (std::uint32_t number = 1; number <= one.replicas; ++number)
      declare(decoder, draft, kept_name(decoder, one, number), {index++, one.type}, *one.key);
  }
}

// Profiles, health and notes of the replicated service hold for its gate as well.
Service gate_of(Decoder& decoder, StackDraft& draft, const Outline& outline, std::uint32_t index) {
  Service gate;
  gate.name = outline.key->text();
  gate.type = ServiceType::gate;
  gate.replicated = true;
  gate.place = outline.key->place();
  for (std::uint32_t number = 1; number <= outline.replicas; ++number) {
    Dependency edge;
    edge.service = gate.name + "-" + std::to_string(number);
    edge.target = index + number;
    edge.condition = outline.type == ServiceType::oneshot ? Condition::completed : Condition::ready;
    edge.place = gate.place;
    gate.depends_on.push_back(std::move(edge));
  }
  ServiceDraft shared{std::move(gate), draft, fits_gate, {}, false, outline.key->text()};
  for (const Entry& entry : outline.mapping->entries())
    for (const Field<ServiceDraft>& field : service_fields())
      if (field.key.name == entry.key->text() &&
          (field.key.name == "profiles" || field.key.name == "health") && !entry.value->is_null())
        field.read(decoder, entry, shared);
  return std::move(shared.service);
}

std::string default_key_help(std::string_view name) {
  if (const auto foreign = foreign_key_help(name); !foreign.empty()) return std::string(foreign);
  std::vector<std::string_view> names;
  for (const Field<ServiceDraft>& field : service_fields()) names.push_back(field.key.name);
  std::string help = text::did_you_mean(name, names);
  return help.empty() ? "remove it, or begin it with `x-` to keep it as a note" : help;
}

}  // namespace

void decode_services(Decoder& decoder, StackDraft& draft) {
  if (draft.services == nullptr) return;
  if (draft.defaults != nullptr) {  // its unknown keys are said once, not once for every service
    draft.defaults = without(decoder.document(), *draft.defaults, [&](const Entry& entry) {
      const std::string_view name = entry.key->text();
      const bool known =
          std::ranges::any_of(service_fields(), [&](const auto& field) { return field.key.name == name; });
      if (known && name != "extends" && name != "replicas" && name != "main") return false;
      if (!name.starts_with("x-"))
        decoder.error(
            "unknown-key", *entry.key,
            "`" + std::string(name) + (known ? "` cannot be a default" : "` is not a key of a service"),
            known ? "write it in the service itself" : default_key_help(name));
      return true;
    });
  }
  const std::vector<Outline> outlines = Outliner(decoder, draft).run();
  declare_all(decoder, draft, outlines);
  decoder.know_services_by([&draft](std::string_view name) { return draft.declared.contains(name); });
  auto& services = draft.stack.services;
  services.reserve(draft.declared.size());
  for (const Outline& one : outlines) {
    const auto index = static_cast<std::uint32_t>(services.size());
    if (one.replicas == 0) {
      services.push_back(read_service(decoder, draft, one, std::string(one.key->text())));
      draft.origins.push_back({one.key, one.mapping, 0});
      continue;
    }
    services.push_back(gate_of(decoder, draft, one, index));
    draft.origins.push_back({one.key, one.mapping, 0});
    for (std::uint32_t number = 1; number <= one.replicas; ++number) {
      decoder.define("REPLICA", std::to_string(number));
      services.push_back(
          read_service(decoder, draft, one, std::string(one.key->text()) + "-" + std::to_string(number)));
      draft.origins.push_back({one.key, one.mapping, index + 1});
    }
    decoder.undefine("REPLICA");
  }
}

}  // namespace belfry::config
