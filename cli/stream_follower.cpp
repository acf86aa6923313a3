#include "cli/stream_follower.hpp"

#include <unistd.h>

#include <iostream>
#include <optional>
#include <utility>

#include "config/model/exit_codes.hpp"

namespace belfry::cli {
namespace {

// The run of belfry that has given an id.
std::string_view run_of(std::string_view id) { return id.substr(0, id.find('-')); }

Failure broken_off(const Client& client) {
  return client::no_answer(client.path(), "it closed the connection before it had said everything");
}

}  // namespace

Failure refused(int status, const std::string& detail) {
  const bool mistake = status == 400 || status == 404;
  return {mistake         ? exit_code::usage
          : status == 403 ? exit_code::not_permitted
                          : exit_code::unavailable,
          detail, status == 404 ? "belfry status shows all services" : ""};
}

int StreamFollower::follow(Client& first) {
  std::optional<Client> next;
  bool on_suspicion = false;  // it may as well have been the end of the daemon
  for (Client* client = &first;;) {
    const std::string before = last_id_;
    const auto answer = follow_once(*client);
    if (!answer) return on_suspicion ? exit_code::ok : report(answer.error());
    if (answer->status != 200) return report(refused(answer->status, detail_of(*answer)));
    if (!std::cout.good() || ended_ || !client::has_reader(STDOUT_FILENO))
      return exit_code::ok;  // whoever prints the last words says why
    if (is_another_run_) break;
    // It says nothing when it ends, nor to who has taken nothing for long.
    const bool got_on = last_id_ != before;
    on_suspicion = !dropped_ && !has_end_;
    if (!dropped_ && !got_on) return on_suspicion ? exit_code::ok : report(broken_off(first));
    auto connected = Client::connect(first.path());
    if (!connected) return on_suspicion ? exit_code::ok : report(connected.error());
    next.emplace(std::move(*connected));
    client = &*next;
  }
  return report({exit_code::unavailable,
                 "cannot go on: another belfry answers at " + first.path() + " by now", again_});
}

Expected<Reply> StreamFollower::follow_once(Client& client) {
  reader_ = client::EventReader();
  dropped_ = false;
  return client.follow(target_, last_id_, [this](std::string_view bytes) { return take_bytes(bytes); });
}

// False: there is no use in going on.
bool StreamFollower::take_bytes(std::string_view bytes) {
  for (const StreamMessage& message : reader_.take(bytes)) take(message);
  std::cout.flush();
  return !is_another_run_ && !ended_ && std::cout.good();
}

void StreamFollower::take(const StreamMessage& message) {
  if (message.type == "dropped") {
    dropped_ = true;
    return;
  }
  if (message.type == "end") {
    ended_ = true;
    return;
  }
  if (message.type.empty() && !message.id.empty()) {
    is_another_run_ = is_another_run_ || (!last_id_.empty() && run_of(last_id_) != run_of(message.id));
    if (is_another_run_) return;
    last_id_ = message.id;
  }
  take_(message);
}

}  // namespace belfry::cli
