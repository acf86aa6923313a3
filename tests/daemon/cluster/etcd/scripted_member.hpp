// A member that says what a test wants, on a real socket of the test's own loop: frames of HTTP/2 by hand.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"

namespace belfry::daemon::etcd::test {

// --- frames of one stream
// -------------------------------------------------------------------------------------
[[nodiscard]] std::string begun(std::uint32_t stream);  // the headers of an answer
[[nodiscard]] std::string message(std::uint32_t stream, std::string_view protobuf);
[[nodiscard]] std::string ended(std::uint32_t stream, std::string_view status = "0",
                                std::string_view why = "");
[[nodiscard]] std::string whole_answer(std::uint32_t stream, std::string_view protobuf);
[[nodiscard]] std::string goaway(std::uint32_t last_stream);
[[nodiscard]] std::string reset(std::uint32_t stream, std::uint32_t code);
// The status of a member of version 3.6.14 and this cluster.
[[nodiscard]] std::string status_of_cluster(char cluster = '\1');

// Owner: the test, which says stop() before it ends. Lifecycle: listens from the beginning.
class ScriptedMember {
 public:
  // What it answers when a stream has said something; the streams of a connection are 1, 3, 5, …
  using Script = std::function<std::string(std::uint32_t stream)>;

  ScriptedMember(Loop& loop, Script script);
  ~ScriptedMember();
  ScriptedMember(const ScriptedMember&) = delete;
  ScriptedMember& operator=(const ScriptedMember&) = delete;

  [[nodiscard]] std::string address() const;
  // On every connection there is.
  void say(std::string_view bytes);
  void hang_up();
  Task<Result<void>> stop(Context& patience);

  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t open_connections() const { return sockets_.size(); }
  // How many streams were reset by the client.
  [[nodiscard]] std::size_t resets() const { return resets_; }

  std::string greeting;  // by which a connection begins; SETTINGS at first

 private:
  using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

  Task<> accept(Context& ctx);
  Task<> serve(Context& ctx, std::shared_ptr<Socket> socket);
  std::string answer_to(std::string& heard);

  Script script_;
  Context life_;
  WaitGroup tasks_;
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
  std::vector<std::shared_ptr<Socket>> sockets_;
  std::size_t connections_ = 0;
  std::size_t resets_ = 0;
};

}  // namespace belfry::daemon::etcd::test
