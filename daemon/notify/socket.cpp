#include "daemon/notify/socket.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>

#include "channels/loop.hpp"

namespace belfry::daemon {

namespace {

HeardMessage understand(const system::DatagramOrigin& origin, std::string_view text,
                        const AttachedDescriptors& attached) {
  if (origin.text_was_cut) return std::unexpected(NotifyRefusal::too_long);
  if (origin.descriptors_lost) return std::unexpected(NotifyRefusal::cut_off);
  if (origin.pid == 0) return std::unexpected(NotifyRefusal::no_credentials);
  HeardMessage message = parse_notify_message(text);
  if (message && message->barrier && attached.size() != 1) return std::unexpected(NotifyRefusal::bad_barrier);
  return message;
}

}  // namespace

NotifySocket::~NotifySocket() { poller_.forget(*this); }

Result<void> NotifySocket::open(std::string path, uid_t owner) {
  auto bound = system::CredentialSocket::bind(std::move(path), owner);
  if (!bound) return std::unexpected(bound.error());
  socket_ = std::move(*bound);
  return poller_.add(socket_.descriptor(), EPOLLIN, *this);
}

// One message an event: the event comes again while there are more, and the others have their turn.
void NotifySocket::on_event(std::uint32_t) {
  const TimePoint now = poller_.loop().now();
  if (now - began_at_ >= window) {
    began_at_ = now;
    heard_ = 0;
  }
  if (receiver_ != nullptr) receive_one();
  if (++heard_ >= most_in_a_window && socket_.is_open()) pause();
}

void NotifySocket::pause() {
  poller_.remove(socket_.descriptor(), *this);
  if (!paused_) paused_ = std::make_unique<Timer>(poller_.loop());
  // What cannot be watched again now (no memory) is watched with the next try.
  paused_->arm(began_at_ + window, [this] {
    began_at_ = {};
    if (!poller_.add(socket_.descriptor(), EPOLLIN, *this)) pause();
  });
}

void NotifySocket::drain() {
  for (int i = 0; i < system::CredentialSocket::queue_length() && socket_.is_open() && receive_one(); ++i) {
  }
}

bool NotifySocket::receive_one() {
  // Not zeroed: the kernel fills what is read, and clearing four kilobytes costs more than the rest.
  std::array<char, longest_notify_message + 1> text;
  system::DatagramOrigin origin;
  // Closed at the end of this function at the latest: the sender of BARRIER=1 sees that as its answer, and
  // everything that came before it has been dealt with by then.
  AttachedDescriptors attached;
  const ssize_t length = socket_.receive(text, origin, attached);
  if (length < 0) return length == -EINTR;
  const HeardMessage message =
      understand(origin, std::string_view(text.data(), static_cast<std::size_t>(length)), attached);
  receiver_->on_message({.pid = origin.pid, .uid = origin.uid}, message, attached);
  return true;
}

}  // namespace belfry::daemon
