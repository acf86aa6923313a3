// What a trap has heard of one run of a service, for its `port` and `unix` probes to judge.
//
// The daemon hands in every caught call; the probes have said what they wait for, so that the ephemeral
// ports that runtimes try out (Go binds two) wake nobody. A caught call is not yet carried out: the copy of
// its socket is looked at until it listens, for some milliseconds only, because as long as a copy is open
// the service could not bind that address anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "channels/loop.hpp"
#include "system/seccomp_listen.hpp"

namespace belfry::probes {

// What a probe waits for: a port, or a path of a unix socket.
struct Awaited {
  std::uint16_t port = 0;  // 0: a path
  bool udp = false;
  std::string path;  // absolute; a leading @ names an abstract socket
  [[nodiscard]] bool is_path() const { return port == 0; }
  friend bool operator==(const Awaited&, const Awaited&) = default;
};

// Owner: shared by the service's kit, its trap and its probes.
// Lifecycle: one run. Deaf (without a trap), it only says why.
// Cancellation: none; nothing here waits.
class ListenEar {
 public:
  enum class Verdict : std::uint8_t {
    listens,  // proven by the socket that this service called listen(2) for
    not_yet,  // it has called, and the call has not been carried out
    unknown,  // ask the kernel
  };

  explicit ListenEar(Loop& loop) : loop_(loop) {}
  ~ListenEar();
  ListenEar(const ListenEar&) = delete;
  ListenEar& operator=(const ListenEar&) = delete;

  // --- the daemon's side
  void attach() { trapped_ = true; }
  // Why there is no trap: "no CAP_SYS_ADMIN; add no_new_privileges: true".
  void say_why_deaf(std::string why) { why_deaf_ = std::move(why); }
  // Whether anybody waits: if not, a call need not be looked at.
  [[nodiscard]] bool is_wanted() const { return !awaited_.empty(); }
  // Takes the copy over. True when it may be what a probe waits for: time to ask.
  bool caught(const system::CaughtCall& call);
  // It was none.
  void forget(const system::CaughtCall& call);

  // --- the probes' side
  [[nodiscard]] bool is_trapped() const { return trapped_; }
  [[nodiscard]] const std::string& why_deaf() const { return why_deaf_; }
  // A call came that may have been the awaited one.
  [[nodiscard]] bool has_heard() const { return has_heard_; }
  // The service has set up an io_uring, through which sockets can listen without a system call.
  [[nodiscard]] bool may_miss() const { return uses_io_uring_; }
  void await(const Awaited& what) { awaited_.push_back(what); }
  void no_longer(const Awaited& what);  // copies that nobody else waits for are closed
  [[nodiscard]] Verdict judge(const Awaited& what);
  // A copy that is still to be looked at.
  [[nodiscard]] bool holds_copy() const { return !copies_.empty(); }

 private:
  struct Copy {
    int fd;
    std::uint32_t looks;
    int protocol;  // IPPROTO_TCP, IPPROTO_UDP; 0: no socket of the internet
    Awaited is;
  };
  static Copy describe(int fd);
  static bool could_be(const Copy& copy, const Awaited& what);
  static bool is_done(Copy& copy);
  [[nodiscard]] bool is_wanted(const Copy& copy) const;
  void keep(Copy copy);
  bool take(const system::CaughtCall& call);
  // When the turn has nothing more to do: a bell is on its way, and to close is a system call.
  void close_afterwards(int fd);
  void close_judged();

  // Owner: the ear. Lifecycle: runs once for each turn that has judged. Cancellation: the ear's end takes it
  // out of the loop.
  struct Sweep final : detail::Callback {
    explicit Sweep(ListenEar& e) : ear(e) {}
    void run() noexcept override { ear.close_judged(); }
    ListenEar& ear;
  };

  Loop& loop_;
  bool trapped_ = false;
  bool uses_io_uring_ = false;
  bool has_heard_ = false;
  std::string why_deaf_;
  std::vector<Awaited> awaited_;
  std::vector<Copy> copies_;
  std::vector<int> judged_;
  Sweep sweep_{*this};
};

}  // namespace belfry::probes
