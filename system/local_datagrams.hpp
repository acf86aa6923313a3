// Datagrams to a daemon of this machine that listens at a path (unix(7)).
#pragma once

#include <string>
#include <string_view>

#include "system/owned_fd.hpp"

namespace belfry::system {

// Owner: whoever sends, in a thread of his own: send() waits for as long as the receiver is busy.
class LocalDatagrams {
 public:
  explicit LocalDatagrams(std::string path) : path_(std::move(path)) {}

  // 0, or errno; the socket is opened anew the next time when the receiver has gone (ECONNREFUSED).
  [[nodiscard]] int send(std::string_view datagram);
  // The same in a sealed memory file whose descriptor is sent instead, for what is too large for a datagram.
  [[nodiscard]] int send_in_memory(std::string_view datagram);
  void close() { socket_.close(); }

 private:
  int connect();
  int sent(long result);

  std::string path_;
  OwnedFd socket_;
};

}  // namespace belfry::system
