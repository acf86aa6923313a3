// What a listen notifier has told of one run of a service, for its `port` and `unix` probes to judge.
//
// The daemon hands in every caught call; the probes have said what they wait for, so that the ephemeral
// ports that runtimes try out (Go binds two) wake nobody. A caught call is not yet carried out, and may never
// be: its socket is known by name only, and the kernel is asked for it until it listens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "system/seccomp_listen.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

// What a probe waits for: a port, any TCP port, or a path of a unix socket.
struct Awaited {
  std::uint16_t port = 0;  // 0: a path, or any
  bool udp = false;
  std::string path;  // absolute; a leading @ names an abstract socket
  [[nodiscard]] bool is_path() const { return !path.empty(); }
  [[nodiscard]] bool is_any() const { return port == 0 && path.empty(); }
  friend bool operator==(const Awaited&, const Awaited&) = default;
};

class ListenMonitor;

// Told which sockets are the proof of a level, to hear of their ends.
class ProofListener {
 public:
  virtual void proven(const ListenMonitor& monitor) = 0;

 protected:
  ~ProofListener() = default;
};

// Owner: shared by what the service was given, its notifier and its probes.
// Lifecycle: one run. When it is unavailable (there is no notifier), it only says why.
class ListenMonitor {
 public:
  enum class Verdict : std::uint8_t {
    listens,    // the very socket that this service called listen(2) for, just now
    not_yet,    // it has called, and the call has not been carried out
    elsewhere,  // it has called, in a network namespace of its own
    unknown,    // ask the kernel
  };

  ListenMonitor() = default;
  ListenMonitor(const ListenMonitor&) = delete;
  ListenMonitor& operator=(const ListenMonitor&) = delete;

  // --- the daemon's side
  void attach() { is_attached_ = true; }
  // Why there is no notifier: "no CAP_SYS_ADMIN; add no_new_privileges: true".
  void say_why_unavailable(std::string why) { why_unavailable_ = std::move(why); }
  // Whether anybody waits: if not, a call need not be looked at.
  [[nodiscard]] bool is_wanted() const { return !awaited_.empty(); }
  // True when it may be what a probe waits for: time to ask.
  bool caught(const system::CaughtCall& call);
  // The call was none after all: its caller had died.
  void forget(const system::CaughtCall& call);
  // Tells `listener`, which must outlive the run, whenever there is new proof.
  void tell_proofs_to(ProofListener* listener) { proof_listener_ = listener; }
  // The sockets, by cookie, that were found to listen where a probe waits for it.
  [[nodiscard]] std::vector<std::uint64_t> proofs() const;
  [[nodiscard]] bool is_proof(std::uint64_t cookie) const;

  // --- the probes' side
  [[nodiscard]] bool is_attached() const { return is_attached_; }
  [[nodiscard]] const std::string& why_unavailable() const { return why_unavailable_; }
  // A call came that may have been the awaited one.
  [[nodiscard]] bool has_heard() const { return has_heard_; }
  // The service has set up an io_uring, through which sockets can listen without a system call.
  [[nodiscard]] bool may_miss() const { return uses_io_uring_; }
  // `diag` must outlive the wait.
  void await(const Awaited& what, system::SockDiag& diag);
  void no_longer(const Awaited& what);  // calls that nobody else waits for are forgotten
  // What is awaited must be waited for.
  [[nodiscard]] Verdict judge(const Awaited& what);
  // One of these is the service's, and listens.
  void prove(const Awaited& what, const std::vector<system::ListeningSocket>& sockets, pid_t caller = 0);
  // Where what was proven listens; 0: nothing was.
  [[nodiscard]] std::uint16_t proven_port(const Awaited& what) const;
  // Who has called listen(2) for it; 0: nobody was caught at it.
  [[nodiscard]] pid_t proven_caller(const Awaited& what) const;
  // A call whose socket is still to be looked at.
  [[nodiscard]] bool is_in_call() const { return !calls_.empty(); }

 private:
  struct Call {
    std::uint64_t id;  // the kernel's
    std::uint32_t looks;
    pid_t caller;
    system::SocketIdentity socket;
  };
  static bool could_be(const Call& call, const Awaited& what);
  [[nodiscard]] bool is_wanted(const Call& call) const;
  [[nodiscard]] bool is_elsewhere(const Call& call) const;
  [[nodiscard]] bool has_path_proof() const;
  void keep(Call call);
  bool take(const system::CaughtCall& call);

  struct Proof {
    Awaited what;
    std::uint64_t cookie;
    std::uint16_t port;
    pid_t caller;  // 0: nobody was caught
  };

  bool is_attached_ = false;
  bool uses_io_uring_ = false;
  bool has_heard_ = false;
  std::uint64_t network_ = system::own_network();
  std::string why_unavailable_;
  system::SockDiag* diag_ = nullptr;  // of those who wait; null: nobody does
  std::vector<Awaited> awaited_;
  std::vector<Call> calls_;
  std::vector<Proof> proofs_;
  ProofListener* proof_listener_ = nullptr;
};

}  // namespace belfry::probes
