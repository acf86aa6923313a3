#include "relay/relay.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "channels/asio_bridge.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "client/trust.hpp"
#include "probes/net/connection.hpp"
#include "relay/gate.hpp"
#include "system/listen_socket.hpp"
#include "system/pipe.hpp"
#include "system/signals.hpp"
#include "system/socket_directory.hpp"
#include "system/stream_socket.hpp"

namespace belfry::relay {
namespace {

using client::Expected;
using client::Failure;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

constexpr auto time_for_a_request = std::chrono::seconds(10);
constexpr std::size_t most_connections = 256;
constexpr std::size_t piece = std::size_t{32} << 10;

// 192 bits that nobody can guess.
std::string new_secret() { return system::unguessable_name() + system::unguessable_name(); }

// One connection of a browser. Owner: the task that serves it. Cancellation: by the context of each wait.
class Browser {
 public:
  Browser(Loop& loop, system::OwnedFd fd) : fd_(std::move(fd)), waits_(loop.executor(), fd_.get()) {}
  ~Browser() { waits_.release(); }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }

  Task<bool> wait_until_readable(Context& ctx) {
    auto readable = waits_.async_wait(Descriptor::wait_read, asio::deferred);
    const auto [error] = co_await async(ctx, std::move(readable));
    co_return !error;
  }
  // How many bytes came; 0: it has ended, or the wait for it.
  Task<std::size_t> read_some(Context& ctx, std::span<char> into) {
    for (;;) {
      const ssize_t got = system::read_some(fd_.get(), into);
      if (got >= 0) co_return static_cast<std::size_t>(got);
      if (got != -EAGAIN) co_return 0;
      const bool readable = co_await wait_until_readable(ctx);
      if (!readable) co_return 0;
    }
  }
  Task<bool> write(Context& ctx, std::string_view bytes) {
    while (!system::send_what_fits(fd_.get(), bytes)) {
      if (errno != EAGAIN) co_return false;
      auto writable = waits_.async_wait(Descriptor::wait_write, asio::deferred);
      const auto [error] = co_await async(ctx, std::move(writable));
      if (error) co_return false;
    }
    co_return true;
  }

 private:
  system::OwnedFd fd_;
  Descriptor waits_;
};

// Owner: serve(). Lifecycle: run() once. Cancellation: its own context, when a signal says so.
class Relay final : system::SignalListener {
 public:
  Relay(Loop& loop, std::string socket, system::ListenSocket port)
      : loop_(loop),
        socket_(std::move(socket)),
        port_(std::move(port)),
        waits_(loop.executor(), port_.fd()),
        key_(new_secret()),
        gate_(key_, new_secret()),
        resolver_(loop),
        signals_(loop),
        root_(loop) {
    signals_.set_listener(this);
  }
  ~Relay() {
    signals_.set_listener(nullptr);
    waits_.release();
  }

  // The key stands behind `#`: browsers send that to nobody.
  [[nodiscard]] std::string link() const {
    return "http://127.0.0.1:" + std::to_string(port_.port()) + "/#key=" + key_;
  }
  void run() {
    spawn(whole_, "dashboard", until_told());
    loop_.run();
  }

 private:
  Task<void> until_told();
  Task<void> serve(system::OwnedFd fd);
  Task<void> pass_on(Context& ctx, Browser& browser, const Head& head, std::string begun);
  Task<bool> pass_answer(Context& ctx, Browser& browser, probes::Connection& daemon);
  Task<void> end_with(Browser& browser, Context& answered);
  Task<Result<void>> connect(Context& ctx, probes::Connection& daemon);
  void on_signal(const system::SignalEvent& event) override;

  Loop& loop_;
  std::string socket_;
  system::ListenSocket port_;
  Descriptor waits_;
  std::string key_;
  Gate gate_;
  probes::Resolver resolver_;
  system::Signals signals_;
  Context root_;
  WaitGroup tasks_{loop_, "connections of browsers", WaitGroup::Thrown::told_at_once};
  WaitGroup whole_{loop_, "dashboard", WaitGroup::Thrown::told_at_once};
};

Task<void> Relay::until_told() {
  while (!root_.cancelled()) {
    system::OwnedFd fd = system::accept_connection(port_.fd());
    if (fd && tasks_.count() < most_connections) {
      spawn(tasks_, "browser", serve(std::move(fd)));
      continue;
    }
    if (fd) continue;  // closed: there are too many already
    auto readable = waits_.async_wait(Descriptor::wait_read, asio::deferred);
    const auto [error] = co_await async(root_, std::move(readable));
    static_cast<void>(error);
  }
  Context patience(loop_);  // every wait of a connection ends with root_
  const Result<void> joined = co_await tasks_.wait(patience);
  static_cast<void>(joined);
  loop_.stop();
}

Task<void> Relay::serve(system::OwnedFd fd) {
  Browser browser(loop_, std::move(fd));
  Context reading(root_, loop_.now() + time_for_a_request);
  std::string bytes;
  std::array<char, 4096> buffer{};
  std::size_t end = std::string::npos;
  while (end == std::string::npos) {
    if (bytes.size() > longest_head) co_return;
    const std::size_t got = co_await browser.read_some(reading, buffer);
    if (got == 0) co_return;
    bytes.append(buffer.data(), got);
    end = bytes.find("\r\n\r\n");
  }
  const std::size_t size = end + 4;
  auto head = read_head(std::string_view(bytes).substr(0, size));
  auto pass = head ? gate_.judge(*head) : std::unexpected(head.error());
  if (!pass || *pass == Gate::Pass::secret) {
    const std::string answer = pass ? answer_of(gate_.secret()) : answer_of(pass.error());
    const bool sent = co_await browser.write(reading, answer);
    if (sent) system::end_sending(browser.fd());
    co_return;
  }
  bytes.erase(0, size);
  while (bytes.size() < head->body) {
    const std::size_t got = co_await browser.read_some(reading, buffer);
    if (got == 0) co_return;
    bytes.append(buffer.data(), got);
  }
  bytes.resize(head->body);
  co_await pass_on(root_, browser, *head, std::move(bytes));
}

Task<void> Relay::pass_on(Context& ctx, Browser& browser, const Head& head, std::string body) {
  probes::Connection daemon(loop_);
  Context answered(ctx);
  const Result<void> connected = co_await connect(answered, daemon);
  if (!connected) {
    const std::string answer = answer_of(Refusal{502, connected.error().text()});
    const bool sent = co_await browser.write(answered, answer);
    if (sent) system::end_sending(browser.fd());
    co_return;
  }
  const std::string request = head.forwarded + body;
  const Result<void> written = co_await daemon.write(answered, request);
  static_cast<void>(written);  // a daemon that refuses may close before it has read all: its answer is there
  WaitGroup watching(loop_, "a browser that may leave", WaitGroup::Thrown::told_at_once);
  spawn(watching, "browser leaves", end_with(browser, answered));
  const bool whole = co_await pass_answer(answered, browser, daemon);
  if (whole) system::end_sending(browser.fd());
  answered.cancel();
  Context patience(loop_);
  const Result<void> joined = co_await watching.wait(patience);
  static_cast<void>(joined);
}

// A browser that leaves, or says more than was asked of it, ends the answer.
Task<void> Relay::end_with(Browser& browser, Context& answered) {
  const bool readable = co_await browser.wait_until_readable(answered);
  if (readable) answered.cancel();
}

Task<bool> Relay::pass_answer(Context& ctx, Browser& browser, probes::Connection& daemon) {
  std::vector<char> buffer(piece);
  for (;;) {
    const Result<std::size_t> got = co_await daemon.read_some(ctx, buffer);
    if (!got) co_return false;
    if (*got == 0) co_return true;
    const bool sent = co_await browser.write(ctx, {buffer.data(), *got});
    if (!sent) co_return false;
  }
}

Task<Result<void>> Relay::connect(Context& ctx, probes::Connection& daemon) {
  const probes::Target where{.host = {}, .socket_path = socket_};
  Result<void> connected = co_await daemon.connect(ctx, resolver_, where);
  if (!connected) co_return std::unexpected(connected.error());
  if (auto trusted = client::check_trusted(socket_, daemon.descriptor()); !trusted)
    co_return std::unexpected(Error::failed(trusted.error().message));
  co_return Result<void>{};
}

void Relay::on_signal(const system::SignalEvent& event) {
  if (sigismember(&system::SignalBlock::entry().ignored, event.number) == 1) return;  // nohup
  for (const int deadly : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    if (event.number == deadly) root_.cancel(Error::closed("the dashboard is closed"));
  }
}

}  // namespace

Expected<void> serve(const Terms& terms, const std::function<void(const std::string&)>& opened) {
  auto port = system::ListenSocket::bind({.host = "127.0.0.1", .port = terms.port, .path = {}});
  if (!port)
    return std::unexpected(
        Failure{exit_code::os_error, port.error().text(), "belfry dashboard --port 0 takes a free one"});
  Loop loop;
  Relay relay(loop, terms.socket, std::move(*port));
  opened(relay.link());
  relay.run();
  return {};
}

}  // namespace belfry::relay
