// One connection of HTTP/2 as a client of gRPC, as a machine without a socket: bytes in, bytes out, many
// calls at once. The frames are libnghttp2's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "channels/error.hpp"
#include "daemon/cluster/etcd/grpc.hpp"

namespace belfry::daemon::etcd {

using Metadata = std::pair<std::string_view, std::string>;

// How a call ended.
struct CallEnd {
  enum class How : std::uint8_t {
    answered,   // by the server, with a status
    not_taken,  // the server has not looked at it: it may be asked again elsewhere
    lost,       // in the middle; nobody knows how far it came
  };
  How how = How::answered;
  GrpcStatus status;  // of `answered`
  Error why;          // of the others
};

struct Http2Options {
  std::string authority;                                 // "e1:2379"
  bool within_tls = false;                               // says `https`; the frames are the same
  std::size_t largest_message = std::size_t{16} << 20;   // that is read
  std::uint32_t stream_window = std::uint32_t{1} << 20;  // bytes that a call is sent before they are read
  std::uint32_t connection_window = std::uint32_t{4} << 20;
};

// Owner: a connection. Lifecycle: made with its first words; hear() and append_outgoing() until hear() fails
// or
//   end() is called, which ends all calls; outlives its calls. Cancellation: none, because nothing here
//   waits.
// What a server may make it keep is bounded: a call that nobody reads is sent no more than its window and one
// message; headers, SETTINGS and PINGs that want an answer are counted.
class Http2 {
 public:
  class Call;

  explicit Http2(Http2Options options);
  ~Http2();
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;

  // The error says what is wrong with the server, in words.
  Result<void> hear(std::string_view bytes);
  void append_outgoing(std::string& say);
  // Something to be answered, so that a server which is gone shows.
  void ping();
  // Ends every call as lost, unless it has ended. No call can be begun after it.
  void end(const Error& why);

  [[nodiscard]] std::size_t calls() const;
  // Those that are over when they have their answer.
  [[nodiscard]] std::size_t short_calls() const;
  // Why it is good for nothing any more; empty: it is good.
  [[nodiscard]] const std::optional<Error>& failed() const;
  // The server takes no more calls; those that it has it goes on with.
  [[nodiscard]] bool going_away() const;
  // There is something to send that append_outgoing() has not given yet. Called from anything but it.
  void on_outgoing(std::move_only_function<void()> tell);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One call: a request of one message or several, and answers. Owner: whoever asks; goes before the Http2.
//   Destroying it before its end tells the server that nobody listens any more.
class Http2::Call {
 public:
  // Of a call that lasts, more can be sent. `tell` is called when there is something to take, or the end;
  // from inside hear() or end(), and it must not destroy anything.
  enum class Kind : std::uint8_t { short_one, lasting };
  Call(Http2& connection, std::string_view path, std::span<const Metadata> metadata, std::string_view message,
       Kind kind, std::move_only_function<void()> tell);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void send(std::string_view message);
  std::optional<std::string> take();
  // Nothing follows what is still to be taken.
  [[nodiscard]] const std::optional<CallEnd>& end() const { return end_; }

 private:
  friend class Http2;
  void finish(CallEnd end);
  void consume();

  Http2::State* connection_;
  std::int32_t stream_ = -1;
  Kind kind_;
  std::move_only_function<void()> tell_;
  std::string outgoing_;
  bool says_more_;
  GrpcHeaders headers_;
  Reassembly incoming_;
  std::size_t unconsumed_ = 0;  // bytes of the stream's window that are not given back yet
  std::optional<CallEnd> end_;
};

}  // namespace belfry::daemon::etcd
