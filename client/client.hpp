// One request to the daemon's control socket. Blocking: a command line has nothing else to do meanwhile.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "client/failure.hpp"
#include "client/reply.hpp"
#include "client/waiting.hpp"

namespace belfry::client {

// Owner: a command. Lifecycle: connected when made, one request. Cancellation: Ctrl-C ends the process.
class Client {
 public:
  // Failures: 69 nobody answers there, 77 not permitted, or somebody answers who is not to be believed.
  static Expected<Client> connect(const std::string& path);
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;
  ~Client();

  // Waits as long as the daemon takes, or as `waiting` says. The Failure: it went away before it answered, or
  // 124: the time was over.
  Expected<Reply> request(std::string_view method, const std::string& target, Waiting* waiting = nullptr);
  // Hands over what a stream brings, as it comes, until the daemon ends it, `take` says that it is enough, or
  // nobody is left to read standard output (`has_reader`), which is seen at once and not with the next piece.
  // `last_id`, where not empty, is where to go on. The Reply has a body when its status is not 200.
  Expected<Reply> follow(const std::string& target, const std::string& last_id,
                         const std::function<bool(std::string_view)>& take);
  // The same in pieces, for whoever waits for other things as well: after this the descriptor is readable
  // when something has come. The Reply is that of follow(); its body, where the status is 200, is the first
  // piece.
  Expected<Reply> begin_stream(const std::string& target, const std::string& last_id);
  // What has come; empty: the daemon has ended the stream. Waits where nothing has.
  [[nodiscard]] std::string next_piece() const;
  [[nodiscard]] int descriptor() const { return fd_; }
  // The process at the other end; 0: nobody knows.
  [[nodiscard]] pid_t peer() const;
  // Returns when the process at the other end has ended. The Failure: 124.
  Expected<void> wait_for_end(Waiting& waiting);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Client(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  [[nodiscard]] Failure lost(std::string_view why) const;
  [[nodiscard]] Failure too_late() const;

  int fd_;
  std::string path_;
};

// 69: the daemon at `path` went away before it answered.
[[nodiscard]] Failure no_answer(const std::string& path, std::string_view why);

// A request as it goes over the socket.
[[nodiscard]] std::string request_text(std::string_view method, const std::string& target);

// The detail of an RFC 9457 problem, or the body as it is.
// Whether somebody can still read what is written to `output`. What is no pipe and no socket always has one.
[[nodiscard]] bool has_reader(int output);

[[nodiscard]] std::string detail_of(const Reply& reply);

// Percent-encodes what may not stand in a segment of a path or a value of a query.
[[nodiscard]] std::string encoded(std::string_view text);

}  // namespace belfry::client
