// belfry up: `run` in the background, and back when everything is ready. belfry down: the way out again.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

#include "cli/commands.hpp"
#include "cli/files.hpp"
#include "cli/interrupts.hpp"
#include "cli/locate.hpp"
#include "cli/progress.hpp"
#include "cli/render.hpp"
#include "cli/terminal.hpp"
#include "cli/waiting.hpp"
#include "client/json.hpp"
#include "daemon/host/paths.hpp"
#include "daemon/host/real_host.hpp"
#include "system/background.hpp"
#include "system/become.hpp"
#include "system/open_file.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

constexpr Duration usual_timeout = std::chrono::minutes(5);
constexpr std::size_t most_shown = std::size_t{16} << 10;

// Of what is waited for: the stack's name, and where it writes.
struct Start {
  std::vector<std::string> files;
  std::string name, control, log;
  off_t written_before = 0;
};

Expected<Start> prepare(const Invocation& asked, bool& has_errors) {
  Invocation of_files = asked;
  of_files.names.clear();  // these are services
  auto files = files_of(of_files);
  if (!files) return std::unexpected(files.error());
  daemon::RealHost host(false);
  config::LoadOptions options;
  options.profiles = asked.profiles;
  options.services = asked.names;
  options.host = &host;
  options.free_ports = daemon::free_ports;
  const config::Loaded loaded = config::load(*files, options);
  has_errors = loaded.diagnostics.has_errors();
  if (has_errors) config::print(loaded.diagnostics, std::cerr, terminal_at(STDERR_FILENO).colour);
  return Start{.files = std::move(*files),
               .name = loaded.stack.name,
               .control = loaded.stack.control.socket,
               .log = {}};
}

// The refusal of a second one, before its output gets between that of the first; whoever comes at the same
// moment is refused by the lock beside the socket.
Expected<void> check_that_it_does_not_run(const Start& start) {
  for (const std::string& socket : daemon::control_socket_candidates(start.name, start.control)) {
    auto client = Client::connect(socket);
    if (!client) continue;
    const pid_t pid = client->peer();
    return std::unexpected(Failure{exit_code::os_error,
                                   "cannot start " + start.name + ": it runs already" +
                                       (pid > 0 ? " (pid " + std::to_string(pid) + ")" : ""),
                                   "belfry status shows it, belfry down takes it down"});
  }
  return {};
}

Expected<system::OwnedFd> open_log(Start& start) {
  auto place = daemon::make_place_for_output(start.name, start.control);
  if (!place) return std::unexpected(Failure{exit_code::os_error, place.error().text(), ""});
  start.log = std::move(*place);
  auto opened = system::open_to_append(start.log);
  if (!opened)
    return std::unexpected(
        Failure{exit_code::os_error, "cannot write " + start.log + ": " + std::strerror(opened.error()), ""});
  struct stat facts{};
  if (::fstat(opened->get(), &facts) == 0) start.written_before = facts.st_size;
  return std::move(*opened);
}

// What it has written since it was started, the end of it.
std::string written_by(const Start& start) {
  system::OwnedFd file(::open(start.log.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (!file || ::fstat(file.get(), &facts) != 0) return {};
  const off_t most = static_cast<off_t>(most_shown);
  const off_t from = std::max(start.written_before, facts.st_size - most);
  std::string text(static_cast<std::size_t>(std::max<off_t>(0, facts.st_size - from)), '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), from);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  if (from > start.written_before) text.erase(0, text.find('\n') + 1);
  return text;
}

std::vector<std::string> arguments_of(const Invocation& asked, const Start& start) {
  std::vector<std::string> words = {"run", "--logs", start.log};
  for (const std::string& file : start.files) words.insert(words.end(), {"-c", file});
  for (const std::string& profile : asked.profiles) words.insert(words.end(), {"--profile", profile});
  words.insert(words.end(), asked.names.begin(), asked.names.end());
  return words;
}

// Owner: up(). Lifecycle: one start. Cancellation: a signal takes down what was started.
class Ascent {
 public:
  Ascent(const Invocation& asked, Start start, system::Background process)
      : asked_(asked), start_(std::move(start)), process_(std::move(process)) {}

  int wait(Interrupts& interrupts);

 private:
  std::optional<int> listen();
  int it_has_ended();
  int it_is_in_vain(const client::StackStatus& status);
  int it_takes_too_long();
  int give_up(int signal);
  int it_is_ready();
  [[nodiscard]] std::optional<client::StackStatus> look() const;
  void remind();

  const Invocation& asked_;
  Start start_;
  system::Background process_;
  Progress progress_;
  std::string status_ = "it starts";
};

std::optional<client::StackStatus> Ascent::look() const {
  for (const std::string& socket : daemon::control_socket_candidates(start_.name, start_.control)) {
    auto client = Client::connect(socket);
    if (!client || client->peer() != process_.pid()) continue;
    Waiting briefly{WaitSchedule(Clock::now(), std::chrono::seconds(1)), {}};
    const auto reply = client->request("GET", "/v1/services", &briefly);
    return reply && reply->status == 200 ? client::read_status(reply->body) : std::nullopt;
  }
  return std::nullopt;
}

// What it says of itself: READY=1, and with STATUS= that something has changed.
std::optional<int> Ascent::listen() {
  bool has_changed = false;
  bool is_ready = false;
  while (const auto message = process_.take_message()) {
    std::string_view rest = *message;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      is_ready = is_ready || line == "READY=1";
      if (!line.starts_with("STATUS=")) continue;
      status_ = text::visible(line.substr(line.find('=') + 1));
      has_changed = true;
    }
  }
  if (is_ready) return it_is_ready();
  if (!has_changed) return std::nullopt;
  if (progress_.is_live()) remind();
  const auto status = look();
  if (status && !status->hopeless.empty()) return it_is_in_vain(*status);
  return std::nullopt;
}

void Ascent::remind() { progress_.show(text::visible(start_.name) + ": " + status_); }

int Ascent::it_is_ready() {
  progress_.clear();
  if (asked_.json) {
    std::cout << "{\"stack\": " << text::json_string(start_.name) << ", \"pid\": " << process_.pid()
              << ", \"log\": " << text::json_string(start_.log) << "}\n";
    return exit_code::ok;
  }
  const std::string ready = status_.substr(0, status_.find(';'));
  std::cout << text::visible(start_.name) << " is up: " << ready << " (pid " << process_.pid() << ", log "
            << text::visible(start_.log) << ")\n";
  return exit_code::ok;
}

int Ascent::it_has_ended() {
  progress_.clear();
  const system::ExitStatus end = process_.status();
  std::cerr << text::visible_lines(written_by(start_));
  const int code = end.success() ? exit_code::unavailable : end.shell_code();
  return report({code, "cannot start " + start_.name + ": belfry " + end.text() + " before it was ready",
                 "all it wrote is in " + start_.log});
}

int Ascent::it_is_in_vain(const client::StackStatus& status) {
  progress_.clear();
  std::string lines = "belfry: cannot get " + start_.name + " ready: " + status.hopeless + "\n";
  for (const client::ServiceStatus& service : status.services) {
    if (!service.wanted || service.ready) continue;
    lines += "  " + service.name + " is " + service.state;
    if (!service.last_error.empty()) lines += ": " + service.last_error;
    lines += "\n";
  }
  lines +=
      "  next step: it stays up for you to look at: belfry why, belfry status; belfry down takes it down\n";
  std::cerr << text::visible_lines(lines);
  return exit_code::unavailable;
}

int Ascent::it_takes_too_long() {
  progress_.clear();
  const auto status = look();
  std::vector<std::string> unready;
  if (status) {
    for (const client::ServiceStatus& service : status->services)
      if (service.wanted && !service.ready) unready.push_back(service.name);
  }
  const std::string who = status ? describe_wait(*status, unready, WaitingFor::up) : "it does not answer yet";
  return report({exit_code::timed_out, "cannot wait any longer for " + start_.name + ": " + who,
                 "it goes on without you: belfry status; belfry down takes it down"});
}

// What was started on this user's behalf goes with him.
int Ascent::give_up(int signal) {
  progress_.show("taking " + text::visible(start_.name) + " down again");
  process_.signal(SIGTERM);
  pollfd ended{process_.ended(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0) {
  }
  progress_.clear();
  std::cerr << "belfry: " << text::visible(start_.name) << " is down again\n";
  return exit_code::by_signal + signal;
}

int Ascent::wait(Interrupts& interrupts) {
  WaitSchedule schedule = progress_.schedule(asked_.timeout.value_or(usual_timeout));
  for (;;) {
    const auto due = schedule.look(Clock::now());
    if (due == WaitSchedule::Due::end) return it_takes_too_long();
    if (due == WaitSchedule::Due::reminder) remind();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(schedule.next() - Clock::now());
    constexpr std::int64_t longest = 60'000;
    pollfd watched[] = {
        {process_.said(), POLLIN, 0}, {process_.ended(), POLLIN, 0}, {interrupts.descriptor(), POLLIN, 0}};
    if (::poll(watched, std::size(watched),
               static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, longest))) < 0)
      continue;
    // A message that came before the end counts: a stack of which all work is done has been ready.
    if (const auto code = listen()) return *code;
    while (const int number = interrupts.take()) {
      if (number != SIGWINCH) return give_up(number);
    }
    if (watched[1].revents != 0) {
      if (const auto code = listen()) return *code;
      return it_has_ended();
    }
  }
}

// Nobody at the place of a stack that is not up: no failure, and that is what `down` wants. Where nobody
// knows which stack is meant, it is one.
bool is_absent(const Failure& failure, const Invocation& asked) {
  const char* inherited = std::getenv("BELFRY_SOCKET");
  const bool is_named = !asked.socket.empty() || !asked.files.empty() || inherited != nullptr;
  return failure.exit_code == exit_code::unavailable && (is_named || config::find_file());
}

}  // namespace

int up(const Invocation& asked) {
  bool has_errors = false;
  auto start = prepare(asked, has_errors);
  if (!start) return report(start.error());
  if (has_errors) return exit_code::bad_config;
  if (auto free = check_that_it_does_not_run(*start); !free) return report(free.error());
  const auto log = open_log(*start);
  if (!log) return report(log.error());
  Interrupts interrupts;
  auto process = system::Background::start(arguments_of(asked, *start), log->get());
  if (!process)
    return report({exit_code::os_error,
                   "cannot start belfry in the background: " + std::string(std::strerror(process.error())),
                   ""});
  return Ascent(asked, std::move(*start), std::move(*process)).wait(interrupts);
}

int down(const Invocation& asked) {
  auto client = connect_to_daemon(asked);
  if (!client && is_absent(client.error(), asked)) {
    std::cerr << "belfry: nothing to take down: " << text::visible(client.error().message) << "\n";
    return exit_code::ok;
  }
  if (!client) return report(client.error());
  const TimePoint began = Clock::now();
  Invocation as_shutdown = asked;
  as_shutdown.command = "shutdown";
  const int code = shutdown(as_shutdown);
  if (code == exit_code::ok && !asked.no_wait)
    std::cout << "down after " << precise(Clock::now() - began) << "\n";
  return code;
}

}  // namespace belfry::cli
