// The contents of a belfry file as plain values: what the rest of belfry knows of YAML.
//
// Everything here is a value without behaviour; nothing here waits, opens or resolves. A model that
// came out of `config::load` without errors is consistent: every dependency exists, there is no
// cycle, every condition can come true (config/validate/validate).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/model/compact.hpp"
#include "config/model/schedule.hpp"

namespace belfry::config {

using Command = std::vector<std::string>;

// Where a value was written. Lines and columns count from 1; line 0 means "not written in a file".
struct Place {
  std::uint32_t file = 0;  // index into Stack::files
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // in bytes
};

enum class ServiceType : std::uint8_t { daemon, oneshot, external, gate };

// The level of a dependency that an edge waits for.
enum class Condition : std::uint8_t { started, ready, completed, stopped, own_bell };

// What a running dependent does when the level of its edge is lost.
enum class OnLoss : std::uint8_t { ignore, restart, stop };

// How many members of a gate or of a set of replicas must hold. `count == 0` means all of them.
struct Quorum {
  std::uint32_t count = 0;
};

struct Dependency {
  std::string service;       // the name as written; a replicated name is its implicit gate
  std::uint32_t target = 0;  // index into Stack::services, filled in by validation
  Condition condition = Condition::ready;
  OnLoss on_loss = OnLoss::ignore;
  bool required = true;
  Duration loss_after{0};
  OptionalDuration timeout;
  Rarely<std::string> bell;       // Condition::own_bell: the name of the dependency's bell
  std::optional<Quorum> require;  // for gates and replicas
  Place place;
};

enum class FdDialect : std::uint8_t { s6, dinit };

// What an answer must have at a place in it.
struct JsonExpectation {
  std::string pointer;  // RFC 6901; empty: the whole answer
  std::optional<std::string>
      equals;  // a text, or a number, true, false or null as written; unset: there is something
};

// What an `http` probe accepts beyond "status 2xx or 3xx".
struct HttpExpectation {
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> statuses;  // inclusive ranges; empty: 200-399
  std::string body;                                               // regular expression; empty: any
  std::optional<JsonExpectation> json;
};

// How belfry speaks TLS to a server. Paths are absolute; an empty one: the host's authorities, no certificate
// of belfry's own.
struct TlsOptions {
  bool verify = true;
  std::string ca;
  std::string cert, key;    // PEM; what belfry shows of itself
  std::string server_name;  // SNI, and what the certificate must be for; empty: the target's host
};

// What a `tcp` probe says and hears on a connection that was accepted.
struct TcpExpectation {
  std::string send;
  std::string expect;  // regular expression; empty: nothing need come
};

// What a `file` probe looks at beyond "it exists".
struct FileExpectation {
  bool exists = true;  // false: it is gone, or has never been there
  bool socket = false;
  std::string contains;  // regular expression; empty: whatever it contains
};

// What becomes of a service whose `live` has failed.
enum class OnFailure : std::uint8_t { restart, unready, shutdown };

struct ClusterExpectation;

// A value: a run that uses outputs of others asks copies of its probes (output_reference.hpp).
struct Probe {
  enum class Kind : std::uint8_t {
    listen,
    port,
    unix_socket,
    notify,
    fd,
    tcp,
    http,
    grpc,
    postgres,
    mysql,
    redis,
    amqp,
    memcached,
    dns,
    exec,
    log,
    file,
    cluster
  };
  Kind kind = Kind::notify;
  bool udp = false;        // port
  bool any_owner = false;  // what connects or looks who listens: it need not be the service
  std::uint16_t port = 0;  // port; 0: any that the service chooses, unless `target` refers to an output
  std::uint16_t fd = 0;    // fd
  FdDialect dialect = FdDialect::s6;  // fd
  std::string target;         // host:port, URL, DSN, path (absolute), regular expression, name (dns, cluster)
  std::uint32_t times = 1;    // log: how many lines must match
  Rarely<Command> command;    // exec
  Rarely<std::string> query;  // postgres, mysql: what is asked once logged in; empty: nothing
  Rarely<std::string> server;        // dns: host:port; empty: those of the host
  Part<HttpExpectation> http;        // http, when anything but the default is expected
  Part<TcpExpectation> tcp;          // tcp, when more than a connection is expected
  Part<FileExpectation> file;        // file, when more than its existence is expected
  Part<TlsOptions> tls;              // null: none is asked for (`https`, `rediss`: the defaults)
  Part<ClusterExpectation> cluster;  // cluster: always there; never of another kind

  // Tuning. Unset means the default of the place where the probe stands.
  OptionalDuration timeout;  // of the whole start (`ready`) or of one attempt (`live`)
  OptionalDuration initial_delay;
  OptionalDuration period;           // unset: adaptive while starting
  OptionalDuration attempt_timeout;  // default 2 s
  OptionalDuration recheck;          // keep looking after the bell rang
  std::uint32_t success_threshold = 1;
  std::uint32_t failure_threshold = 1;        // `live`: 3
  OnFailure on_failure = OnFailure::restart;  // `live`
  Place place;
};

// Of how many hosts a `cluster` probe must know that its service is ready there.
struct ClusterExpectation {
  std::uint32_t require = 1;       // distinct hosts
  std::vector<std::string> hosts;  // among these; empty: whoever publishes it
  // Asked of each host that says so, its outputs in the place of the references to service "".
  std::optional<Probe> confirm;
};

// All of the probes, or any one of them. Empty: no probe was written.
struct ProbeSet {
  bool any = false;
  std::vector<Probe> probes;
  [[nodiscard]] bool empty() const { return probes.empty(); }
};

struct OwnBell {
  std::string name;
  ProbeSet probes;
};

enum class RestartPolicy : std::uint8_t { no, on_failure, always };

struct Restart {
  RestartPolicy policy = RestartPolicy::on_failure;
  Duration delay = std::chrono::milliseconds(100);
  Duration max_delay = std::chrono::seconds(30);
  double factor = 2.0;
  double jitter = 0.2;
  Duration reset_after = std::chrono::seconds(10);
  std::uint32_t limit = 0;   // 0: none
  Duration limit_window{0};  // `limit: 10 per 5m`; 0: for ever
};

struct Stop {
  int signal = 15;
  Duration timeout = std::chrono::seconds(10);
};

// A socket that belfry binds and passes on (socket activation). When `address` refers to an output, it is all
// that was written, the port included, and is read anew for each run.
struct ListenSocket {
  enum class Kind : std::uint8_t { tcp, udp, unix_stream };
  Kind kind = Kind::tcp;
  std::string name;
  std::string address;  // host, or path of a unix socket (a leading @: abstract)
  std::uint16_t port = 0;
  std::optional<std::uint32_t> mode;
  std::string owner, group;
  std::optional<std::uint32_t> backlog;
  bool v6only = false;
  bool reuse_port = false;
  Place place;
};

enum class NotifyAccess : std::uint8_t { main, exec, all };
enum class LogFormat : std::uint8_t { text, json, raw };
enum class LogOverflow : std::uint8_t { drop, block };

struct Log {
  bool inherit = false;  // pass belfry's own descriptors through
  bool to_stdout = true;
  bool timestamps = false;
  bool compress = false;  // rotated files
  std::string file;       // absolute after decoding; empty: none
  std::string journald;   // path of its socket; empty: not sent there
  std::string syslog;     // the same
  Duration max_age{0};    // of rotated files; 0: they are kept
  std::uint64_t max_size = 0;
  std::uint64_t max_line = 0;  // 0: the daemon's default
  std::uint32_t max_files = 0;
  LogFormat format = LogFormat::text;
  LogOverflow overflow = LogOverflow::drop;
};

// A process limit by its setrlimit(2) resource number.
struct ResourceLimit {
  int resource = 0;
  std::uint64_t soft = 0, hard = 0;
};

struct Cgroup {
  std::optional<std::uint64_t> memory_max;
  std::optional<double> cpu_max;
  std::optional<std::uint64_t> pids_max;
};

// A value that was read from a file and goes into the service's environment. It has a type of its own
// so that nothing that shows an environment (status, logs, dumps) shows it by accident.
struct Secret {
  std::string variable;
  std::string value;
};

// A file that only the service sees, below $CREDENTIALS_DIRECTORY. A type of its own, as Secret.
struct Credential {
  std::string name;   // of the file
  std::string value;  // what it holds: any bytes
};

// Capabilities (capabilities(7)), as sets of their numbers.
struct Capabilities {
  std::uint64_t dropped = 0;  // neither the service nor what it executes can have them
  std::uint64_t ambient = 0;  // it has them although it is not root
};

inline constexpr unsigned most_cpus = 1024;  // cpu_set_t

// As ioprio_set(2) numbers them.
enum class IoClass : std::uint8_t { realtime = 1, best_effort, idle };

struct IoPriority {
  IoClass of = IoClass::best_effort;
  std::uint8_t level = 4;  // 0 (first) to 7
};

// A directory that belfry makes for the service, below the place for directories of its kind.
struct OwnDirectory {
  std::string name;  // relative, without `..`
  std::uint32_t mode = 0755;
};

// What the service does not see, or cannot change, of the machine.
struct Sandbox {
  bool read_only_root = false;
  bool private_tmp = false;
  bool private_network = false;
  bool protect_home = false;
  bool required = false;              // it does not start without
  std::vector<std::string> writable;  // absolute paths that read_only_root leaves alone
  [[nodiscard]] bool any() const { return read_only_root || private_tmp || private_network || protect_home; }
};

// Where a service gets outputs of its own from, beside its probes and its notify socket, and what is hidden.
struct Outputs {
  std::string file;                 // absolute; KEY=VALUE lines, read when a bell rings; empty: none
  std::vector<std::string> secret;  // keys whose values are shown to nobody
};

// What other hosts are told of a service while it is ready here, beside the outputs of its run.
struct Publication {
  std::vector<std::pair<std::string, std::string>> outputs;  // their keys in upper case
};

// How a service is replaced by a newer one of itself, when somebody asks for that.
struct Update {
  enum class OnFailure : std::uint8_t { stop, roll_back };
  // Of replicas: how many are replaced at once, what of each is waited for, and what becomes of the others
  // when one of them does not come up.
  std::uint32_t parallel = 1;
  Condition wait = Condition::ready;
  OnFailure on_failure = OnFailure::stop;
  // Of the hosts that publish it, how many may be without it at once; 0: nobody counts.
  std::uint32_t max_unavailable = 0;
  std::vector<std::string> hosts;  // those that should have it; empty: whoever says something of it
};

// An output of another service that texts of this one refer to.
struct OutputReference {
  std::string service;
  std::string key;
  std::uint32_t provider = 0;  // index into Stack::services, as `edge` filled in by validation
  std::uint32_t edge = 0;      // index into depends_on: which guarantees that the output is there
  // Under which key its provider has it: that of one host of a cluster is "a.ADDRESS", written as the key
  // ADDRESS of the service "kafka.a".
  std::string published;
};

// The parts of a service that few services use, kept apart so that ten thousand plain services
// stay small.
struct ServiceExtras {
  std::string group;
  std::optional<std::uint32_t> umask;
  std::optional<int> nice;
  std::optional<int> oom_score_adj;
  std::vector<ResourceLimit> rlimits;
  std::optional<Cgroup> cgroup;
  std::vector<ListenSocket> listen;
  std::string standard_input;  // empty: /dev/null; `inherit`; or an absolute path
  bool tty = false;
  Log log;
  Command pre_start, post_start, pre_stop, post_stop;
  std::optional<int> reload_signal;
  Command reload_command;
  std::optional<Duration> watchdog;
  std::vector<OwnBell> bells;
  std::vector<int> success_exit_codes;
  std::vector<std::string> profiles;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<Secret> secrets;
  Outputs outputs;
  std::optional<Publication> publish;  // what other hosts are told of it while it is ready here
  std::optional<Update> update;
  std::vector<OutputReference> references;  // empty: it uses nobody's
  std::vector<std::pair<std::string, std::string>>
      late_environment;  // what of its environment refers to outputs
  std::string description;
  std::vector<std::string> supplementary_groups;  // beside those of its user
  std::optional<Capabilities> capabilities;
  std::vector<std::uint16_t> cpu_affinity;  // empty: any CPU
  std::optional<IoPriority> io_priority;
  std::vector<OwnDirectory> runtime_directories, state_directories;
  std::optional<Sandbox> sandbox;
  std::vector<Credential> credentials;
  std::optional<std::vector<std::string>> environment_from;  // all that is inherited of belfry's; unset: all
  std::uint32_t fd_store = 0;
  NotifyAccess notify_access = NotifyAccess::all;
  bool no_new_privileges = false;
  bool isolate = false;
  bool health_ignore = false;
  std::optional<Schedule> schedule;  // of a oneshot: it runs by itself when its time comes
};

struct Service {
  std::string name;
  ServiceType type = ServiceType::daemon;
  Command command;
  Rarely<std::string> user;
  SharedText working_dir;  // absolute after decoding
  std::vector<std::pair<std::string, std::string>> environment;
  bool clean_environment = false;
  bool essential = false;
  bool main = false;
  bool enabled = true;      // false: its profiles are not active
  bool replicated = false;  // a gate that stands for its replicas, which it depends on
  Quorum require;           // gates
  std::vector<Dependency> depends_on;
  ProbeSet ready;
  std::unique_ptr<ProbeSet> live;
  Rarely<Restart> restart;
  Stop stop;
  std::unique_ptr<ServiceExtras> extras;  // null: all of them at their defaults
  Place place;
};

// What the addresses of TCP show of themselves, and whom they let in. PEM files.
struct HttpTls {
  std::string cert, key;  // an empty key is in the certificate's file
  std::string client_ca;  // empty: clients need no certificate
};

struct Http {
  std::vector<std::string> listen;  // `host:port` or `unix:/path`; empty: no HTTP
  std::optional<HttpTls> tls;
  Place place;
};

struct Control {
  std::string socket;  // empty: the default path
  std::vector<std::string> allow;
  std::string token_file;
};

struct Shutdown {
  Duration timeout = std::chrono::seconds(25);
  Duration delay{0};
};

// Which services get a cgroup of their own: those that ask for limits or isolation, every one, none.
enum class Cgroups : std::uint8_t { as_needed, all, off };

enum class OnDaemonDeath : std::uint8_t { kill, keep };

// How this host shares readiness with others, through etcd.
struct Cluster {
  std::vector<std::string> etcd;  // endpoints: http://, https:// or host:port; one at least
  std::string name;               // of what is shared; all keys are below belfry/NAME/
  std::string host;               // this one, among those of the same name
  Duration ttl = std::chrono::seconds(10);
  TlsOptions tls;
  bool tls_asked = false;  // an endpoint without a scheme is within TLS
  std::string user;
  std::string password_file;  // absolute
  std::uint64_t id = 0;       // of the cluster; 0: that of the first member that answers
  Place place;
};

struct Stack {
  std::string name;
  std::vector<std::string> files;  // what Place::file counts
  Http http;
  Control control;
  Shutdown shutdown;
  std::optional<Cluster> cluster;  // nothing: this stack is this host's alone
  std::uint32_t probe_limit = 256;
  std::uint32_t parallel_starts = 0;  // 0: unlimited
  OnDaemonDeath on_daemon_death = OnDaemonDeath::kill;
  Cgroups cgroups = Cgroups::as_needed;
  std::vector<std::pair<std::string, std::uint16_t>> ports;  // `ports:`, free ones already chosen
  std::vector<Service> services;
};

}  // namespace belfry::config
