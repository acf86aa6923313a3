// From the tree to the model: one table of keys, with a reader each, per mapping of the file; files,
// `extends` and `defaults` are merged before. This room knows one mapping at a time and nothing of the
// machine it runs on; what concerns several services is for config/validate.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/decode/free_ports.hpp"
#include "config/keys/decoder.hpp"
#include "config/model/model.hpp"

namespace belfry::config {

// What an edge must know of the service it names before that service has been read.
struct Declared {
  std::uint32_t index = 0;  // into Stack::services
  ServiceType type = ServiceType::daemon;
};
using DeclaredServices = std::unordered_map<std::string_view, Declared>;

// Where a service of the stack was written, for messages that come after decoding.
struct Origin {
  const Node* key = nullptr;      // its name
  const Node* mapping = nullptr;  // its keys, with defaults and extends merged in
  std::uint32_t replica_of = 0;   // 1 + index of the gate, 0: no replica
};

// An output that a text of a service refers to.
struct UsedOutput {
  std::uint32_t user = 0;  // index into Stack::services
  WrittenReference written;
};

struct StackDraft {
  Stack stack;
  const Node* services = nullptr;
  const Node* defaults = nullptr;
  std::vector<Origin> origins;  // parallel to stack.services
  DeclaredServices declared;
  std::unordered_map<std::string, std::uint32_t> env_sources;  // by path: each file is read once
  std::size_t env_bytes = 0;
  SharedText working_dir;              // of the last service that was read: most have the same
  std::vector<UsedOutput> references;  // of all services, in the order of the file
  std::uint32_t suggestions = 0;       // how many unknown names were already compared with all services
};

struct ServiceDraft {
  Service service;
  StackDraft& stack;
  Fits fit = fits_daemon;
  Pairs env_file;
  bool restart_written = false;
  std::string_view written_name;  // without the number of a replica, so that a mistake is said once
};

// Whether service `index` is a replica beyond the first, whose mistakes are those of the first.
[[nodiscard]] inline bool is_repetition(const StackDraft& draft, std::size_t index) {
  return draft.origins[index].replica_of != 0 && index > draft.origins[index].replica_of;
}

// The parts of a service that are rarely there; made on first use.
[[nodiscard]] ServiceExtras& extras_of(Service& service);

// The keys of each mapping of the file. Each table stands in a source file of its own or with its neighbours.
[[nodiscard]] Fields<StackDraft> stack_fields();
[[nodiscard]] Fields<Http> http_fields();
[[nodiscard]] Fields<Control> control_fields();
[[nodiscard]] Fields<Shutdown> shutdown_fields();
[[nodiscard]] Fields<Stack> limits_fields();
[[nodiscard]] Fields<Cluster> cluster_fields();
[[nodiscard]] Fields<ServiceDraft> service_fields();
[[nodiscard]] Fields<Update> update_fields();
[[nodiscard]] Fields<Restart> restart_fields();
[[nodiscard]] Fields<Stop> stop_fields();
[[nodiscard]] Fields<Dependency> dependency_fields();
struct ProbeDraft;
[[nodiscard]] Fields<ProbeDraft> probe_fields();
[[nodiscard]] Fields<JsonExpectation> json_fields();
[[nodiscard]] Fields<ProbeDraft> log_probe_fields();
[[nodiscard]] Fields<ProbeDraft> dns_fields();
[[nodiscard]] Fields<HttpTls> http_tls_fields();
[[nodiscard]] Fields<TlsOptions> tls_fields();
[[nodiscard]] Fields<ListenSocket> socket_fields();
[[nodiscard]] Fields<Log> log_fields();
[[nodiscard]] Fields<Cgroup> cgroup_fields();
[[nodiscard]] Fields<ServiceExtras> reload_fields();
[[nodiscard]] Fields<Outputs> outputs_fields();
[[nodiscard]] Fields<Schedule> schedule_fields();
[[nodiscard]] Fields<ServiceDraft> confinement_fields();  // behind `no_new_privileges`
[[nodiscard]] Fields<IoPriority> io_priority_fields();
[[nodiscard]] Fields<OwnDirectory> own_directory_fields();
[[nodiscard]] Fields<Sandbox> sandbox_fields();
[[nodiscard]] Table capabilities_key_table();
struct EnvFileDraft;
[[nodiscard]] Fields<EnvFileDraft> env_file_fields();

// Reads `draft.services` into `draft.stack.services`: extends, defaults, replicas.
void decode_services(Decoder& decoder, StackDraft& draft);
[[nodiscard]] ProbeSet decode_probes(Decoder& decoder, const Node& node, std::string_view role);
// `all`, `any` or a number.
[[nodiscard]] std::optional<Quorum> read_quorum(Decoder& decoder, const Node& node);
void decode_dependencies(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_rlimits(Decoder& decoder, const Node& node, ServiceExtras& out);
void decode_listen(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_env_files(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_outputs(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_schedule(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_publish(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_update(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_cluster(Decoder& decoder, const Node& node, StackDraft& draft);
void decode_secrets(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_capabilities(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_cpu_affinity(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_io_priority(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_own_directories(Decoder& decoder, const Node& node, std::vector<OwnDirectory>& out);
void decode_sandbox(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_credentials(Decoder& decoder, const Node& node, ServiceDraft& draft);
void decode_environment_from(Decoder& decoder, const Node& node, ServiceDraft& draft);
// Ports by name, and their numbers; those of `kept` were handed out before and stay.
using KeptPorts = std::vector<std::pair<std::string, std::uint16_t>>;
void decode_ports(Decoder& decoder, const Node& node, StackDraft& draft, const KeptPorts& kept,
                  const FreePorts& free);

// Whether the text of `key` may name `what` (config/model/name.hpp); reports it if not.
bool check_name(Decoder& decoder, const Node& key, std::string_view what);

// What people write who know another tool, and what belfry calls it (ForeignWords).
[[nodiscard]] std::string_view foreign_key_help(std::string_view key);
[[nodiscard]] std::string_view foreign_value_help(std::string_view value,
                                                  std::span<const std::string_view> known);
// How to write here what another tool calls `name` where it means a condition; empty if nothing is known.
[[nodiscard]] std::string_view foreign_condition_help(std::string_view name);

}  // namespace belfry::config
