// A stream of the daemon, read to its end: what `events` and `logs` have in common.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/locate.hpp"
#include "client/event_stream.hpp"

namespace belfry::cli {

using client::StreamMessage;

// Why the daemon has not answered with what was asked for, as an exit code and words.
[[nodiscard]] Failure refused(int status, const std::string& detail);

// Whoever is too slow is let go by the daemon, and goes on where he was: with the same run of the same stack.
// Owner: a command. Lifecycle: one stream. Cancellation: Ctrl-C ends the process.
class StreamFollower {
 public:
  // What is followed: where; whether there is an `end` of it, or it goes on until the daemon ends; and the
  // command that begins anew.
  struct Stream {
    std::string target;
    bool has_end = false;
    std::string again;
  };
  // `take` is given every message but those that are about the connection.
  StreamFollower(Stream stream, std::function<void(const StreamMessage&)> take)
      : target_(std::move(stream.target)),
        again_(std::move(stream.again)),
        has_end_(stream.has_end),
        take_(std::move(take)) {}

  // Until the daemon ends, or has said all that there is. The exit code; why it failed has been said.
  int follow(Client& first);
  // Of the last entry; empty: there was none yet.
  [[nodiscard]] const std::string& last_id() const { return last_id_; }

 private:
  bool take_bytes(std::string_view bytes);
  void take(const StreamMessage& message);
  Expected<Reply> follow_once(Client& client);

  std::string target_, again_;
  bool has_end_;
  std::function<void(const StreamMessage&)> take_;
  client::EventReader reader_;
  std::string last_id_;
  bool dropped_ = false;
  bool ended_ = false;
  bool is_another_run_ = false;
};

}  // namespace belfry::cli
