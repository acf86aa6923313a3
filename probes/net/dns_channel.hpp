// Asking name servers on the loop: one c-ares channel, its sockets watched by Asio, its timeouts in the timer
// queue.
#pragma once

#include <sys/socket.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "channels/asio.hpp"
#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/task.hpp"
#include "channels/timer_queue.hpp"

struct ares_channeldata;
struct ares_addrinfo;

namespace belfry::probes {

// How and whom to ask. The defaults are the host's.
struct DnsOptions {
  std::string resolv_conf = "/etc/resolv.conf";
  std::string servers = {};  // "127.0.0.1:5353,[::1]:53" in place of those in the file
  // Neither resolv.conf nor nsswitch.conf is read, and names are asked for as they are: no search domains.
  bool only_servers = false;
  // A server that is silent for so long is given up for the next one; in the second and last round it has
  // twice that. A silent server is thereby named before an attempt's two seconds are over.
  Duration first_round = std::chrono::milliseconds(600);
};

// Owner: the resolver, and everybody who waits for one of its answers (shared).
// Lifecycle: opened once; a socket is open only while something is asked.
// Cancellation: of a wait, at once. c-ares can take back all questions or none, so one that nobody waits for
//   any more goes on while others are waited for, for a few seconds at most; with the last waiter all end.
class DnsChannel {
 public:
  using Addresses = std::vector<asio::ip::address>;

  explicit DnsChannel(Loop& loop);
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  // Reads resolv.conf(5) and nsswitch.conf(5). The error says what keeps it from asking anybody.
  Result<void> open(const DnsOptions& options);

  // The addresses of both families that name servers give to `name`, at most 16 of each; search domains are
  // tried as resolv.conf(5) says. A name that is being asked for already is not asked for again; nothing is
  // kept afterwards. The error's message is the reason alone: "no such name". The channel must outlive the
  // task.
  Task<Result<Addresses>> look_up(Context& ctx, std::string name);

  // How many names are being asked for.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  [[nodiscard]] std::size_t open_sockets() const { return sockets_.size(); }

 private:
  struct Question;
  struct Socket;
  class Waiting;
  friend struct SocketFunctions;

  std::shared_ptr<Question> ask(const std::string& name);
  void finish(Question& question, int status, const ares_addrinfo* found);
  [[nodiscard]] std::string reason_of(const Question& question, int status) const;
  void process(int readable, int writable);
  void arm_timer();
  void watch(int fd, bool readable, bool writable);
  void heard(const void* answer, std::size_t size, const sockaddr* from);
  [[nodiscard]] std::string servers() const;
  static void on_answer(void* question, int status, int timeouts, ares_addrinfo* found);
  static void on_socket(void* self, int fd, int readable, int writable);

  Loop& loop_;
  ares_channeldata* channel_ = nullptr;
  Timer timer_;
  std::map<int, std::shared_ptr<Socket>> sockets_;
  std::map<std::string, std::shared_ptr<Question>, std::less<>> in_flight_;
  std::size_t waiting_ = 0;
  TimePoint next_question_{};
  int packets_left_ = 0;   // of this turn
  std::string complaint_;  // the last one: "SERVFAIL from 127.0.0.1", "Network is unreachable"
};

}  // namespace belfry::probes
