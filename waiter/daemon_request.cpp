#include "waiter/daemon_request.hpp"

#include <utility>
#include <vector>

#include "client/response_reader.hpp"
#include "client/trust.hpp"
#include "probes/net/connection.hpp"

namespace belfry::waiter {

using client::Expected;
using client::Reply;

namespace {

constexpr std::size_t most_at_once = std::size_t{64} << 10;

Task<Expected<Reply>> read_answer(Context& ctx, probes::Connection& connection, const std::string& path) {
  client::ResponseReader reader;
  std::vector<char> buffer(most_at_once);
  while (!reader.done()) {
    const Result<std::size_t> got = co_await connection.read_some(ctx, buffer);
    if (!got) co_return std::unexpected(client::no_answer(path, got.error().text()));
    const std::string mistake = *got == 0 ? reader.take_end() : reader.take({buffer.data(), *got});
    if (!mistake.empty()) co_return std::unexpected(client::no_answer(path, mistake));
  }
  co_return reader.reply();
}

}  // namespace

Task<Expected<Reply>> ask_daemon(Context& ctx, probes::Resolver& resolver, std::string path,
                                 std::string target) {
  probes::Connection connection(ctx.loop());
  const probes::Target where{.host = {}, .socket_path = path};
  const Result<void> connected = co_await connection.connect(ctx, resolver, where);
  if (!connected) co_return std::unexpected(client::no_answer(path, connected.error().text()));
  if (auto trusted = client::check_trusted(path, connection.descriptor()); !trusted)
    co_return std::unexpected(trusted.error());
  const std::string request = client::request_text("GET", target);
  // A daemon that refuses may close before it has read everything: its answer is there all the same.
  const Result<void> written = co_await connection.write(ctx, request);
  static_cast<void>(written);
  Expected<Reply> reply = co_await read_answer(ctx, connection, path);
  co_return reply;
}

}  // namespace belfry::waiter
