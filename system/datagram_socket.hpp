// Datagrams between processes of one machine (unix(7)): those of whom the kernel says who sent them, and
// those that belfry sends itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

// What is known of a datagram beside its bytes.
struct DatagramOrigin {
  pid_t pid =
      0;  // of the sender, as the kernel says (SCM_CREDENTIALS); 0: it does not, or it cannot be named here
  uid_t uid = 0;
  bool text_was_cut = false;      // it was longer than the room for it
  bool descriptors_lost = false;  // more were attached than could be taken over
};

// A socket at a path, on which only those can speak who may write to its file. Whatever descriptors come with
// a datagram are taken over with it, so that whoever attaches some to a message that nobody wants leaks
// nothing. Root may claim to be any process; nobody else can. Owner: whoever listens. Lifecycle: bound by
// bind(); closing it removes its file. Cancellation: it never waits.
class CredentialSocket {
 public:
  // Mode 0600, owned by `owner`; root's is 0666, since its services may give up being root. The error says
  // what could not be done: "cannot bind the notify socket /run/…".
  static Result<CredentialSocket> bind(std::string path, uid_t owner);

  CredentialSocket() = default;
  ~CredentialSocket() { close(); }
  CredentialSocket(CredentialSocket&& other) noexcept = default;
  CredentialSocket& operator=(CredentialSocket&& other) noexcept = default;

  // The next datagram: its length, or -errno (EAGAIN: there is none).
  [[nodiscard]] ssize_t receive(std::span<char> text, DatagramOrigin& origin,
                                std::vector<OwnedFd>& descriptors) const;
  // How many datagrams it can hold unread.
  [[nodiscard]] static int queue_length();

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  void close();

 private:
  CredentialSocket(OwnedFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  OwnedFd fd_;
  std::string path_;
};

// A socket that sends to one address: a path, or "@NAME" in the abstract namespace. Empty when that is
// neither, or when nobody is there.
[[nodiscard]] OwnedFd connect_datagram_socket(std::string_view address);

enum class Sent : std::uint8_t { yes, no_room, lost };
// With a copy of the descriptor `attached`, unless that is -1.
[[nodiscard]] Sent send_datagram(int fd, std::string_view text, int attached = -1);

// With the end of a pipe, until the receiver has closed that. It blocks. False: not within `at_most`.
[[nodiscard]] bool send_and_wait(int fd, std::string_view text, Duration at_most);

}  // namespace belfry::system
