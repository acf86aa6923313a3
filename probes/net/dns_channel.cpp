#include "probes/net/dns_channel.hpp"

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "channels/sleep.hpp"
#include "probes/net/dns_configuration.hpp"
#include "system/client_socket.hpp"

namespace belfry::probes {

namespace {

namespace client_socket = system::client_socket;
using namespace std::chrono_literals;

constexpr int rounds = 2;
constexpr std::ptrdiff_t most_addresses = 16;  // of one family
constexpr int packets_a_turn = 64;
// More questions than this at once are spaced out: a burst of a thousand would overflow the buffer of a
// socket, the server's or the own one, and what is dropped there costs a round.
constexpr std::size_t burst = 64;
constexpr Duration spacing = 200us;

std::string text_of(const sockaddr* from) {
  asio::ip::udp::endpoint endpoint;
  const std::size_t size = from->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(endpoint.data(), from, size);
  return endpoint.address().to_string();
}

// The codes by which a server says that it cannot or will not answer (RFC 1035, 4.1.1); c-ares asks the next
// one.
const char* complaint_of(unsigned code) {
  switch (code) {
    case 2: return "SERVFAIL";
    case 4: return "NOTIMP";
    case 5: return "REFUSED";
    default: return nullptr;
  }
}

// The addresses of one family; an answer may carry thousands.
void append(DnsChannel::Addresses& to, const ares_addrinfo* found, int family) {
  std::ptrdiff_t left = most_addresses;
  for (const ares_addrinfo_node* node = found->nodes; node != nullptr && left > 0; node = node->ai_next) {
    if (node->ai_family != family) continue;
    asio::ip::tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), node->ai_addr, node->ai_addrlen);
    if (std::ranges::find(to, endpoint.address()) != to.end()) continue;
    to.push_back(endpoint.address());
    --left;
  }
}

}  // namespace

// Owner: the channel while it is asked, and whoever waits for it. Lifecycle: asked, answered. Cancellation:
// of a wait for `answered`.
struct DnsChannel::Question {
  Question(DnsChannel& c, std::string n)
      : channel(c), name(std::move(n)), asked_at(c.loop_.now()), answered(c.loop_, "name server") {}
  DnsChannel& channel;
  std::string name;
  TimePoint asked_at;
  Bell<> answered;
  Result<Addresses> answer;
};

// Owner: the channel and Asio's pending handlers (shared, so that either may go first). Lifecycle: from
// c-ares opening the socket to its closing it; the descriptor is c-ares's and never closed here.
// Cancellation: drop().
struct DnsChannel::Socket : std::enable_shared_from_this<Socket> {
  Socket(DnsChannel& c, int fd) : channel(&c), descriptor(c.loop_.executor()) {
    error_code not_watched;  // then its questions run into their timeouts
    descriptor.assign(fd, not_watched);
  }
  void want(bool readable, bool writable) {
    reading.wanted = readable;
    writing.wanted = writable;
    arm(reading, asio::posix::descriptor_base::wait_read);
    arm(writing, asio::posix::descriptor_base::wait_write);
  }
  void drop() {
    channel = nullptr;
    if (descriptor.is_open()) descriptor.release();
  }

  struct Direction {
    bool wanted = false;
    bool armed = false;
  };
  void arm(Direction& direction, asio::posix::descriptor_base::wait_type type) {
    if (channel == nullptr || !direction.wanted || direction.armed || !descriptor.is_open()) return;
    direction.armed = true;
    descriptor.async_wait(type, [self = shared_from_this(), &direction, type](const error_code& failed) {
      direction.armed = false;
      if (self->channel == nullptr || failed || !direction.wanted) return;
      const int fd = self->descriptor.native_handle();
      const bool reads = type == asio::posix::descriptor_base::wait_read;
      self->channel->process(reads ? fd : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : fd);
      self->arm(direction, type);
    });
  }

  DnsChannel* channel;
  asio::posix::basic_stream_descriptor<Executor> descriptor;
  Direction reading;
  Direction writing;
};

// Counts a waiting task from here to the end of its frame, however that ends.
class DnsChannel::Waiting {
 public:
  explicit Waiting(DnsChannel& channel) : channel_(channel) { ++channel_.waiting_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    if (--channel_.waiting_ > 0 || channel_.in_flight_.empty()) return;
    ::ares_cancel(channel_.channel_);
    channel_.arm_timer();
  }

 private:
  DnsChannel& channel_;
};

// What c-ares does to its sockets. Its own functions are the same but for two things: here no child ever
// inherits a socket, and how much is read in one turn is bounded, whatever a server sends.
struct SocketFunctions {
  static int open(int family, int type, int protocol, void* self) {
    const int fd = client_socket::open(family, type, protocol);
    if (fd < 0) note_failure(self);
    return fd;
  }
  static int close(int fd, void* /*self*/) { return client_socket::close(fd); }
  static int connect(int fd, const sockaddr* to, socklen_t size, void* self) {
    const int failed = client_socket::connect(fd, to, size);
    if (failed != 0 && errno != EINPROGRESS) note_failure(self);
    return failed;
  }
  static ssize_t receive(int fd, void* to, std::size_t size, int flags, sockaddr* from, socklen_t* from_size,
                         void* self) {
    auto& channel = *static_cast<DnsChannel*>(self);
    if (channel.packets_left_ <= 0) {
      errno = EAGAIN;
      return -1;
    }
    --channel.packets_left_;
    const ssize_t got = client_socket::receive(fd, to, size, flags, from, from_size);
    if (got > 0 && from != nullptr) channel.heard(to, static_cast<std::size_t>(got), from);
    if (got < 0 && errno != EAGAIN) note_failure(self);
    return got;
  }
  static ssize_t send(int fd, const iovec* parts, int count, void* /*self*/) {
    const ssize_t sent = client_socket::send(fd, parts, count);
    // ECONNREFUSED is told of an earlier datagram, and c-ares would only move the question of this one to the
    // next server. When this one is sent once more, the socket tells it again as it is read, and all
    // questions move.
    return sent < 0 && errno == ECONNREFUSED ? client_socket::send(fd, parts, count) : sent;
  }
  // c-ares tells one status for whatever kept it from asking anybody.
  static void note_failure(void* self) {
    const int error = errno;
    static_cast<DnsChannel*>(self)->complaint_ = std::strerror(error);
    errno = error;
  }
  static constexpr ares_socket_functions all{&open, &close, &connect, &receive, &send};
};

DnsChannel::DnsChannel(Loop& loop) : loop_(loop), timer_(loop) { ::ares_library_init(ARES_LIB_INIT_ALL); }

DnsChannel::~DnsChannel() {
  if (channel_ != nullptr) ::ares_destroy(channel_);
  ::ares_library_cleanup();
}

Result<void> DnsChannel::open(const DnsOptions& options) {
  auto configuration =
      options.only_servers ? DnsConfiguration{} : read_dns_configuration(options.resolv_conf);
  if (!configuration) return std::unexpected(configuration.error());
  if (!configuration->asks_servers)
    return std::unexpected(Error(
        Error::Kind::failed, "the hosts file does not know it, and /etc/nsswitch.conf asks no name server"));

  std::string path = options.only_servers ? "/dev/null" : options.resolv_conf;
  std::string only_servers = "b";  // else c-ares would read the hosts file anew for every question
  std::vector<char*> domains;
  for (std::string& domain : configuration->domains) domains.push_back(domain.data());
  ares_options asked{};
  asked.flags = ARES_FLAG_NOALIASES;  // $HOSTALIASES names a file that would be read for every question
  if (options.only_servers) asked.flags |= ARES_FLAG_NOSEARCH;
  asked.timeout = static_cast<int>(options.first_round / 1ms);
  asked.tries = rounds;
  asked.lookups = only_servers.data();
  asked.domains = domains.data();
  asked.ndomains = static_cast<int>(domains.size());
  asked.sock_state_cb = &DnsChannel::on_socket;
  asked.sock_state_cb_data = this;
  asked.resolvconf_path = path.data();
  const int status =
      ::ares_init_options(&channel_, &asked,
                          ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                              ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF);
  if (status != ARES_SUCCESS) return std::unexpected(Error::failed(::ares_strerror(status)));
  ::ares_set_socket_functions(channel_, &SocketFunctions::all, this);
  if (!options.servers.empty()) ::ares_set_servers_ports_csv(channel_, options.servers.c_str());
  return {};
}

Task<Result<DnsChannel::Addresses>> DnsChannel::look_up(Context& ctx, std::string name) {
  if (in_flight_.size() >= burst && !in_flight_.contains(name)) {
    next_question_ = std::max(next_question_, loop_.now()) + spacing;
    Result<void> slept = co_await sleep_until(ctx, next_question_);
    if (!slept) co_return std::unexpected(slept.error());
  }
  const std::shared_ptr<Question> question = ask(name);
  const Waiting counted(*this);
  const Outcome outcome = co_await question->answered.wait(ctx);
  if (outcome.rung()) co_return question->answer;
  const bool was_late = outcome.cause.kind() == Error::Kind::deadline_exceeded;
  co_return std::unexpected(
      was_late ? outcome.cause.wrap("no name server has answered yet (" + servers() + ")") : outcome.cause);
}

std::shared_ptr<DnsChannel::Question> DnsChannel::ask(const std::string& name) {
  if (const auto asked = in_flight_.find(name); asked != in_flight_.end()) return asked->second;
  auto question = std::make_shared<Question>(*this, name);
  in_flight_.emplace(name, question);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  // The order is that of the race between the families; sorting would open a socket for every address.
  hints.ai_flags = ARES_AI_NOSORT;
  ::ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &DnsChannel::on_answer, question.get());
  arm_timer();
  return question;
}

void DnsChannel::on_answer(void* question, int status, int /*timeouts*/, ares_addrinfo* found) {
  auto& asked = *static_cast<Question*>(question);
  asked.channel.finish(asked, status, found);
  if (found != nullptr) ::ares_freeaddrinfo(found);
}

void DnsChannel::finish(Question& question, int status, const ares_addrinfo* found) {
  Addresses addresses;
  if (status == ARES_SUCCESS && found != nullptr) {
    append(addresses, found, AF_INET6);
    append(addresses, found, AF_INET);
  }
  if (!addresses.empty()) {
    question.answer = std::move(addresses);
  } else {
    const int why = status == ARES_SUCCESS ? ARES_ENODATA : status;
    question.answer = std::unexpected(Error::failed(reason_of(question, why)));
  }
  const auto keep = in_flight_.extract(question.name);  // until the bell has rung
  question.answered.ring();
}

std::string DnsChannel::reason_of(const Question& question, int status) const {
  switch (status) {
    case ARES_ENOTFOUND: return "no such name";
    case ARES_ENODATA: return "the name has no address";
    case ARES_EBADNAME: return "this is not a name";
    case ARES_ECONNREFUSED:
      return "no name server gave an answer (" + (complaint_.empty() ? "" : complaint_ + "; ") + servers() +
             ")";
    case ARES_ETIMEOUT: {
      const double seconds = std::chrono::duration<double>(loop_.now() - question.asked_at).count();
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%.1f s", seconds);
      return "no name server answered within " + std::string(text.data()) + " (" + servers() + ")";
    }
    default: return ::ares_strerror(status);
  }
}

// Of each answer, before c-ares judges whether it is one at all.
void DnsChannel::heard(const void* answer, std::size_t size, const sockaddr* from) {
  constexpr std::size_t code_at = 3;
  if (size <= code_at) return;
  const char* complaint = complaint_of(static_cast<const unsigned char*>(answer)[code_at] & 0x0FU);
  if (complaint != nullptr) complaint_ = std::string(complaint) + " from " + text_of(from);
}

std::string DnsChannel::servers() const {
  std::string all = "asked ";
  ares_addr_port_node* list = nullptr;
  if (::ares_get_servers_ports(channel_, &list) != ARES_SUCCESS) return all + "nobody";
  for (const ares_addr_port_node* at = list; at != nullptr; at = at->next) {
    sockaddr_storage storage{};
    storage.ss_family = static_cast<sa_family_t>(at->family);
    if (at->family == AF_INET) {
      std::memcpy(&reinterpret_cast<sockaddr_in&>(storage).sin_addr, &at->addr.addr4, sizeof at->addr.addr4);
    } else {
      std::memcpy(&reinterpret_cast<sockaddr_in6&>(storage).sin6_addr, &at->addr.addr6,
                  sizeof at->addr.addr6);
    }
    all += (at == list ? "" : ", ") + text_of(reinterpret_cast<const sockaddr*>(&storage));
  }
  ::ares_free_data(list);
  return all;
}

void DnsChannel::process(int readable, int writable) {
  packets_left_ = packets_a_turn;
  ::ares_process_fd(channel_, readable, writable);
  arm_timer();
}

void DnsChannel::arm_timer() {
  timeval left{};
  if (::ares_timeout(channel_, nullptr, &left) == nullptr) {
    timer_.cancel();
    return;
  }
  // c-ares rounds down to a millisecond; who came too early would have to come again.
  const Duration until = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec) + 1ms;
  timer_.arm(loop_.now() + until, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); });
}

void DnsChannel::on_socket(void* self, int fd, int readable, int writable) {
  static_cast<DnsChannel*>(self)->watch(fd, readable != 0, writable != 0);
}

void DnsChannel::watch(int fd, bool readable, bool writable) {
  auto& socket = sockets_[fd];
  if (readable || writable) {
    if (!socket) socket = std::make_shared<Socket>(*this, fd);
    socket->want(readable, writable);
    return;
  }
  if (socket) socket->drop();
  sockets_.erase(fd);
}

}  // namespace belfry::probes
