// belfry ls: the stacks of this user that run here; belfry attach: back to the screen of one.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "cli/commands.hpp"
#include "cli/locate.hpp"
#include "cli/render.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "cli/watch.hpp"
#include "client/json.hpp"
#include "daemon/host/paths.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

constexpr std::string_view ending = ".sock";

// Those of the usual places, and those that listen elsewhere: each has its lock file beside it
// (docs/adr/0020). What the kernel lists and belfry has not made is left alone.
std::vector<std::string> sockets_here() {
  std::vector<std::string> sockets;
  std::error_code none;
  for (const std::string& directory : daemon::control_socket_directories()) {
    for (const auto& entry : std::filesystem::directory_iterator(directory, none))
      if (entry.path().string().ends_with(ending)) sockets.push_back(entry.path().string());
  }
  std::ranges::sort(sockets);
  std::ifstream kernel("/proc/net/unix");
  std::vector<std::string> elsewhere;
  for (std::string line; std::getline(kernel, line);) {
    const auto at = line.find(" /");
    if (at == std::string::npos || !line.contains(" 00010000 ")) continue;  // it listens
    std::string path = line.substr(at + 1);
    if (std::filesystem::exists(path + ".lock", none)) elsewhere.push_back(std::move(path));
  }
  std::ranges::sort(elsewhere);
  for (std::string& path : elsewhere)
    if (std::ranges::find(sockets, path) == sockets.end()) sockets.push_back(std::move(path));
  return sockets;
}

struct Running {
  StackStatus status;
  std::string socket;
  pid_t pid = 0;
  std::int64_t ready = 0, wanted = 0;
};

// Asked for a moment only: one that is stopped by a debugger must not hide the others.
std::optional<Running> ask(const std::string& socket) {
  auto client = Client::connect(socket);
  if (!client) return std::nullopt;
  Running one{.status = {}, .socket = socket, .pid = client->peer()};
  client::Waiting briefly{client::WaitSchedule(Clock::now(), std::chrono::seconds(2)), {}};
  const auto reply = client->request("GET", "/v1/services", &briefly);
  auto status = reply && reply->status == 200 ? client::read_status(reply->body) : std::nullopt;
  if (!status) return one;
  one.status = std::move(*status);
  for (const ServiceStatus& service : one.status.services) {
    if (!service.wanted) continue;
    ++one.wanted;
    if (service.ready) ++one.ready;
  }
  return one;
}

std::string state_of(const Running& one) {
  if (one.status.stack.empty()) return "no answer";
  if (one.status.shutting_down) return "stopping";
  return one.status.ready ? "ready" : "not ready";
}

std::vector<Running> stacks_here() {
  std::vector<Running> stacks;
  for (const std::string& socket : sockets_here()) {
    auto one = ask(socket);
    const auto is_same = [&one](const Running& other) { return other.pid == one->pid && one->pid > 0; };
    // One that listens at several paths is one stack.
    if (one && std::ranges::none_of(stacks, is_same)) stacks.push_back(std::move(*one));
  }
  std::ranges::sort(stacks, {}, [](const Running& one) { return one.status.stack; });
  return stacks;
}

std::string files_of(const Running& one) {
  std::string names;
  for (const client::SourceFile& file : one.status.files) (names += names.empty() ? "" : ", ") += file.path;
  return names.empty() ? "-" : names;
}

void print_json(const std::vector<Running>& stacks) {
  std::cout << "{\"stacks\": [";
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    const Running& one = stacks[i];
    std::cout << (i == 0 ? "\n  " : ",\n  ") << "{\"name\": " << text::json_string(one.status.stack)
              << ", \"state\": " << text::json_string(state_of(one)) << ", \"ready\": " << one.ready
              << ", \"wanted\": " << one.wanted << ", \"pid\": " << one.pid
              << ", \"socket\": " << text::json_string(one.socket) << ", \"files\": [";
    for (std::size_t f = 0; f < one.status.files.size(); ++f)
      std::cout << (f == 0 ? "" : ", ") << text::json_string(one.status.files[f].path);
    std::cout << "]}";
  }
  std::cout << (stacks.empty() ? "]}\n" : "\n]}\n");
}

void print_table(const std::vector<Running>& stacks) {
  std::vector<std::vector<Cell>> rows = {{{"NAME", Colour::bold, false},
                                          {"STATE", Colour::bold, false},
                                          {"READY", Colour::bold, true},
                                          {"PID", Colour::bold, true},
                                          {"FILE", Colour::bold, false}}};
  for (const Running& one : stacks) {
    const std::string state = state_of(one);
    rows.push_back(
        {{text::visible(one.status.stack.empty() ? one.socket : one.status.stack), Colour::none, false},
         {state, state == "ready" ? Colour::green : Colour::yellow, false},
         {std::to_string(one.ready) + "/" + std::to_string(one.wanted), Colour::none, true},
         {std::to_string(one.pid), Colour::none, true},
         {text::visible(files_of(one)), Colour::none, false}});
  }
  const Terminal terminal = terminal_at(STDOUT_FILENO);
  std::cout << render_table(rows, terminal.width, terminal.colour);
}

// The name is that of `belfry ls`; several may have it.
Expected<Client> find_stack(const std::string& name) {
  std::vector<Running> found = stacks_here();
  std::erase_if(found, [&name](const Running& one) { return one.status.stack != name; });
  if (found.size() == 1) return Client::connect(found.front().socket);
  if (found.empty())
    return std::unexpected(Failure{exit_code::unavailable,
                                   "cannot find a stack named " + name + " that runs here", "belfry ls"});
  return std::unexpected(
      Failure{exit_code::usage,
              "cannot choose: " + std::to_string(found.size()) + " stacks named " + name + " run here",
              "belfry attach --socket " + found.front().socket});
}

}  // namespace

int ls(const Invocation& asked) {
  const std::vector<Running> stacks = stacks_here();
  if (asked.json)
    print_json(stacks);
  else if (stacks.empty())
    std::cerr << "belfry: no stack of yours runs here (start one with `belfry up`)\n";
  else
    print_table(stacks);
  return exit_code::ok;
}

int attach(const Invocation& asked) {
  auto client = asked.names.empty() ? connect_to_daemon(asked) : find_stack(asked.names.front());
  if (!client) return report(client.error());
  return watch(std::move(*client), {.services = {}, .with_events = true, .may_stop = true});
}

}  // namespace belfry::cli
