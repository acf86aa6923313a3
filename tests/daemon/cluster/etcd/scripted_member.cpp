#include "tests/daemon/cluster/etcd/scripted_member.hpp"

#include <array>

#include "channels/asio_bridge.hpp"
#include "channels/spawn.hpp"
#include "tests/probes/protocols/http2_frames.hpp"

namespace belfry::daemon::etcd::test {

namespace {

using namespace belfry::test;
using namespace std::string_literals;

constexpr std::size_t preface_bytes = 24;  // "PRI * HTTP/2.0…" (RFC 9113, 3.4)
constexpr std::size_t head_bytes = 9;

}  // namespace

std::string begun(std::uint32_t stream) {
  return http2_frame(1, end_headers, stream,
                     literals({{":status", "200"}, {"content-type", "application/grpc"}}));
}
std::string message(std::uint32_t stream, std::string_view protobuf) {
  return http2_frame(0, 0, stream, grpc_message(protobuf));
}
std::string ended(std::uint32_t stream, std::string_view status, std::string_view why) {
  return http2_frame(1, end_headers | end_stream, stream,
                     literals({{"grpc-status", status}, {"grpc-message", why}}));
}
std::string whole_answer(std::uint32_t stream, std::string_view protobuf) {
  return begun(stream) + message(stream, protobuf) + ended(stream);
}
std::string goaway(std::uint32_t last_stream) {
  return http2_frame(7, 0, 0, big_endian(last_stream, 4) + big_endian(0, 4));
}
std::string reset(std::uint32_t stream, std::uint32_t code) {
  return http2_frame(3, 0, stream, big_endian(code, 4));
}
std::string status_of_cluster(char cluster) {
  return "\x0A\x02\x08"s + cluster +
         "\x12\x06"
         "3.6.14\x20\x01"s;
}

ScriptedMember::ScriptedMember(Loop& loop, Script script)
    : greeting(settings()),
      script_(std::move(script)),
      life_(loop),
      tasks_(loop, "tasks of a scripted member"),
      acceptor_(loop.executor(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  spawn(tasks_, "scripted member: accept", accept(life_));
}
ScriptedMember::~ScriptedMember() = default;

std::string ScriptedMember::address() const {
  return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

void ScriptedMember::say(std::string_view bytes) {
  error_code ignored;
  for (const auto& socket : sockets_) asio::write(*socket, asio::buffer(bytes.data(), bytes.size()), ignored);
}

void ScriptedMember::hang_up() {
  error_code ignored;
  for (const auto& socket : sockets_) socket->shutdown(asio::socket_base::shutdown_both, ignored);
}

Task<Result<void>> ScriptedMember::stop(Context& patience) {
  life_.cancel();
  Result<void> ended = co_await tasks_.wait(patience);
  co_return ended;
}

Task<> ScriptedMember::accept(Context& ctx) {
  for (;;) {
    auto socket = std::make_shared<Socket>(acceptor_.get_executor());
    auto accepting = acceptor_.async_accept(*socket, asio::deferred);
    const auto [ec] = co_await async(ctx, std::move(accepting));
    if (ec) co_return;
    ++connections_;
    sockets_.push_back(socket);
    spawn(tasks_, "scripted member: serve", serve(ctx, socket));
  }
}

Task<> ScriptedMember::serve(Context& ctx, std::shared_ptr<Socket> socket) {
  std::string heard;
  std::string say = greeting;
  std::array<char, 4096> buffer{};
  std::size_t preface = preface_bytes;
  for (;;) {
    error_code failed;
    asio::write(*socket, asio::buffer(say), failed);
    auto reading = socket->async_read_some(asio::buffer(buffer), asio::deferred);
    const auto [ec, got] = co_await async(ctx, std::move(reading));
    if (ec) break;
    heard.append(buffer.data(), got);
    const std::size_t skipped = std::min(preface, heard.size());
    heard.erase(0, skipped);
    preface -= skipped;
    say = answer_to(heard);
  }
  std::erase(sockets_, socket);
}

// Cuts off what is whole of it.
std::string ScriptedMember::answer_to(std::string& heard) {
  std::string say;
  while (heard.size() >= head_bytes) {
    const auto byte = [&](std::size_t at) { return std::uint32_t{static_cast<unsigned char>(heard[at])}; };
    const std::size_t size = byte(0) << 16U | byte(1) << 8U | byte(2);
    if (heard.size() < head_bytes + size) break;
    const std::uint32_t stream = byte(5) << 24U | byte(6) << 16U | byte(7) << 8U | byte(8);
    if (byte(3) == 0 && size > 0 && script_) say += script_(stream);
    if (byte(3) == 3) ++resets_;
    if (byte(3) == 4 && byte(4) == 0 && !greeting.empty())
      say += http2_frame(4, 1, 0, "");  // its SETTINGS, acknowledged
    heard.erase(0, head_bytes + size);
  }
  return say;
}

}  // namespace belfry::daemon::etcd::test
