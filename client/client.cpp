#include "client/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "client/json.hpp"
#include "client/response_reader.hpp"
#include "client/trust.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::client {
namespace {

Failure cannot_reach(const std::string& path, int error) {
  const bool forbidden = error == EACCES || error == EPERM;
  Failure failure;
  failure.exit_code = forbidden ? exit_code::not_permitted : exit_code::unavailable;
  failure.message = "cannot reach belfry at " + path + ": " + std::strerror(error);
  failure.next_step = forbidden
                          ? "run this as root, or as the user that runs belfry"
                          : "start it with `belfry run`, or say where it is with --socket PATH or -c FILE";
  return failure;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The bytes that come next; empty at the end or after an error.
std::string_view receive(int fd, char* buffer, std::size_t size) {
  ssize_t got = 0;
  do got = ::recv(fd, buffer, size, 0);
  while (got < 0 && errno == EINTR);
  return {buffer, got > 0 ? static_cast<std::size_t>(got) : 0};
}

// Until `fd` has news of this kind; false when the time is over first.
bool wait_for_news(int fd, short events, Waiting& waiting) {
  for (;;) {
    const TimePoint now = Clock::now();
    const auto due = waiting.schedule.look(now);
    if (due == WaitSchedule::Due::end) return false;
    if (due == WaitSchedule::Due::reminder && waiting.remind) waiting.remind();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting.schedule.next() - Clock::now());
    constexpr std::int64_t longest = 60'000;
    pollfd watched{fd, events, 0};
    const int timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, longest));
    if (::poll(&watched, 1, timeout) > 0) return true;
  }
}

// Until there is something to be read, or nobody is left to write it to.
void wait_for_piece(int fd, int output) {
  pollfd watched[] = {{fd, POLLIN, 0}, {output, 0, 0}};
  while (::poll(watched, 2, -1) < 0 && errno == EINTR) {
  }
}

// Of "HTTP/1.1 200 OK"; 0 for anything else.
int status_of(std::string_view head) {
  constexpr std::string_view version = "HTTP/1.";
  if (!head.starts_with(version) || head.size() < 12) return 0;
  int status = 0;
  const char* const digits = head.data() + 9;
  const auto [end, error] = std::from_chars(digits, digits + 3, status);
  return error == std::errc() && end == digits + 3 ? status : 0;
}

int pidfd_of_peer(int fd) {
  const ucred peer = peer_of(fd);
  // A peer in another pid namespace has no number here.
  return peer.pid <= 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0));
}

}  // namespace

Expected<Client> Client::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::unexpected(cannot_reach(path, ENAMETOOLONG));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected(cannot_reach(path, errno));
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(fd);
    return std::unexpected(cannot_reach(path, error));
  }
  Client connected(fd, path);
  if (auto trusted = check_trusted(path, fd); !trusted) return std::unexpected(trusted.error());
  return connected;
}

Client::Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
Client::~Client() {
  if (fd_ >= 0) ::close(fd_);
}

Failure Client::lost(std::string_view why) const { return no_answer(path_, why); }

Failure Client::too_late() const {
  return {exit_code::timed_out, "cannot wait any longer for an answer of belfry at " + path_, ""};
}

Expected<Reply> Client::request(std::string_view method, const std::string& target, Waiting* waiting) {
  // A daemon that refuses may close before it has read everything: its answer is there all the same.
  const bool sent = send_all(fd_, request_text(method, target));
  ResponseReader reader;
  char buffer[65536];
  while (!reader.done()) {
    if (waiting != nullptr && !wait_for_news(fd_, POLLIN, *waiting)) return std::unexpected(too_late());
    const std::string_view bytes = receive(fd_, buffer, sizeof buffer);
    const std::string mistake = bytes.empty() ? reader.take_end() : reader.take(bytes);
    if (!mistake.empty()) return std::unexpected(lost(sent ? mistake : "it does not read"));
  }
  return reader.reply();
}

// HTTP/1.0, to which a stream comes as it is, and ends with its connection.
Expected<Reply> Client::begin_stream(const std::string& target, const std::string& last_id) {
  constexpr std::size_t largest_head = 8192;
  std::string request = "GET " + target + " HTTP/1.0\r\nHost: belfry\r\nAccept: text/event-stream\r\n";
  if (!last_id.empty()) request += "Last-Event-ID: " + last_id + "\r\n";
  const bool sent = send_all(fd_, request + "\r\n");
  std::string head;
  std::size_t end = std::string::npos;
  char buffer[65536];
  while ((end = head.find("\r\n\r\n")) == std::string::npos) {
    const std::string_view bytes = receive(fd_, buffer, sizeof buffer);
    if (bytes.empty()) return std::unexpected(lost(sent ? "it closed the connection" : "it does not read"));
    head += bytes;
    if (head.size() > largest_head + sizeof buffer) return std::unexpected(lost("its answer has no end"));
  }
  Reply reply{.status = status_of(head), .body = head.substr(end + 4)};
  if (reply.status == 0) return std::unexpected(lost("its answer is not HTTP"));
  return reply;
}

std::string Client::next_piece() const {
  char buffer[65536];
  return std::string(receive(fd_, buffer, sizeof buffer));
}

Expected<Reply> Client::follow(const std::string& target, const std::string& last_id,
                               const std::function<bool(std::string_view)>& take) {
  constexpr std::size_t largest_refusal = 65536;
  auto begun = begin_stream(target, last_id);
  if (!begun) return begun;
  Reply reply = std::move(*begun);
  if (reply.status == 200 && !take(std::exchange(reply.body, {}))) return reply;
  for (;;) {
    if (reply.status == 200) wait_for_piece(fd_, STDOUT_FILENO);
    if (!has_reader(STDOUT_FILENO)) return reply;
    const std::string bytes = next_piece();
    if (bytes.empty()) return reply;
    if (reply.status == 200 && !take(bytes)) return reply;
    if (reply.status != 200 && reply.body.size() < largest_refusal) reply.body += bytes;
  }
}

// poll(2): POLLERR of the end of a pipe that is written to says that the other one is closed.
bool has_reader(int output) {
  pollfd looked_at{output, 0, 0};
  return ::poll(&looked_at, 1, 0) <= 0 || (looked_at.revents & (POLLERR | POLLHUP)) == 0;
}

pid_t Client::peer() const { return peer_of(fd_).pid; }

Expected<void> Client::wait_for_end(Waiting& waiting) {
  const int pidfd = pidfd_of_peer(fd_);
  // Without it, the end of the connection is the last that can be seen.
  const bool ended =
      pidfd >= 0 ? wait_for_news(pidfd, POLLIN, waiting) : wait_for_news(fd_, POLLRDHUP, waiting);
  if (pidfd >= 0) ::close(pidfd);
  if (ended) return {};
  return std::unexpected(too_late());
}

Failure no_answer(const std::string& path, std::string_view why) {
  return {exit_code::unavailable, "cannot get an answer from belfry at " + path + ": " + std::string(why),
          "look at the daemon's own output"};
}

std::string request_text(std::string_view method, const std::string& target) {
  std::string request(method);
  request += " " + target + " HTTP/1.1\r\nHost: belfry\r\nAccept: application/json\r\n";
  if (method == "POST") request += "Content-Length: 0\r\n";
  request += "\r\n";
  return request;
}

std::string detail_of(const Reply& reply) {
  std::string detail = text_member(reply.body, "detail");
  if (!detail.empty()) return detail;
  return reply.body.empty() ? "the answer was " + std::to_string(reply.status) : reply.body;
}

std::string encoded(std::string_view text) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += hex[byte >> 4U];
    out += hex[byte & 0xFU];
  }
  return out;
}

}  // namespace belfry::client
