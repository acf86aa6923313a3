#include "daemon/notify/service_manager_notifier.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "system/copied_fd.hpp"
#include "system/datagram_socket.hpp"
#include "system/process_identity.hpp"

namespace belfry::daemon {

namespace {

constexpr Duration between_refreshes = std::chrono::milliseconds(100);
// What a start that makes progress is given with every step: more than most single steps take.
constexpr Duration time_for_a_step = std::chrono::seconds(60);
constexpr Duration slack = std::chrono::seconds(5);

std::optional<std::int64_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, value);
  return error == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

// How often the service manager's watchdog wants to hear of belfry; zero: never (sd_watchdog_enabled(3)).
Duration watchdog_period() {
  const auto period = number_in("WATCHDOG_USEC");
  const auto pid = number_in("WATCHDOG_PID");
  if (!period || *period <= 0 || (pid && *pid != system::own_pid())) return Duration::zero();
  return std::chrono::microseconds(std::min<std::int64_t>(*period, 3'600'000'000));
}

std::string microseconds(Duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(d).count());
}

// STATUS is one line, and bounded: a message has to fit into the 4096 bytes that a receiver looks at.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > 1024) text.resize(1024);
  return text;
}

}  // namespace

ServiceManagerNotifier::ServiceManagerNotifier(Loop& loop, system::Poller& poller,
                                               std::function<std::string()> summary)
    : loop_(loop),
      poller_(poller),
      summary_(std::move(summary)),
      refresh_timer_(loop),
      watchdog_timer_(loop) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path != nullptr) fd_ = system::connect_datagram_socket(path);
  if (!fd_) return;
  room_ = static_cast<std::size_t>(std::max<std::int64_t>(number_in("FDSTORE").value_or(0), 0));
  watchdog_ = watchdog_period();
  if (watchdog_ > Duration::zero()) ping_watchdog();
}

ServiceManagerNotifier::~ServiceManagerNotifier() {
  if (waits_for_room_) poller_.remove(fd_.get(), *this);
}

void ServiceManagerNotifier::ping_watchdog() {
  alive_ = true;
  send();
  watchdog_timer_.arm(loop_.now() + watchdog_ / 2, [this] { ping_watchdog(); });
}

void ServiceManagerNotifier::changed(bool progress) {
  if (!fd_ || is_stopping_) return;
  progress_ = progress_ || progress;
  if (refresh_timer_.armed()) return;
  refresh_timer_.arm(std::max(loop_.now(), refreshed_at_ + between_refreshes), [this] { refresh(); });
}

void ServiceManagerNotifier::refresh() {
  if (is_stopping_) return;
  refreshed_at_ = loop_.now();
  status_ = one_line(summary_());
  if (std::exchange(progress_, false) && !is_ready_)
    extend_ = std::max(extend_.value_or(time_for_a_step), time_for_a_step);
  send();
}

void ServiceManagerNotifier::needs_time(Duration by) {
  if (!fd_ || is_ready_ || is_stopping_) return;
  extend_ = std::max(saturating_add(by, slack), time_for_a_step);
  send();
}

void ServiceManagerNotifier::ready() {
  if (!fd_) return;
  is_ready_ = true;
  extend_.reset();
  refresh_timer_.cancel();
  state_ = "READY=1";
  refreshed_at_ = loop_.now();
  status_ = one_line(summary_());
  send();
}

void ServiceManagerNotifier::stopping(const std::string& why, Duration at_most) {
  if (!fd_) return;
  is_stopping_ = true;
  refresh_timer_.cancel();
  state_ = "STOPPING=1";
  status_ = one_line("stopping: " + why);
  extend_ = saturating_add(at_most, slack);
  send();
}

void ServiceManagerNotifier::reloading() {
  if (!fd_ || !is_ready_ || is_stopping_) return;
  state_ = "RELOADING=1\nMONOTONIC_USEC=" + microseconds(loop_.now().time_since_epoch());
  status_ = "reloading";
  send();
}

void ServiceManagerNotifier::reloaded() {
  if (!fd_ || !is_ready_ || is_stopping_) return;
  state_ = "READY=1";
  status_ = one_line(summary_());
  send();
}

void ServiceManagerNotifier::reload_answered(const std::string& why) {
  reloading();
  if (!fd_ || !is_ready_ || is_stopping_) return;
  state_ = "READY=1";
  status_ = one_line(why);
  send();
}

void ServiceManagerNotifier::send() {
  if (!fd_ || waits_for_room_ || !hand_over_the_rest()) return;
  std::string message;
  const auto add = [&message](std::string_view line) { (message += message.empty() ? "" : "\n") += line; };
  if (!state_.empty()) add(state_);
  if (status_) add("STATUS=" + *status_);
  if (extend_) add("EXTEND_TIMEOUT_USEC=" + microseconds(*extend_));
  if (alive_) add("WATCHDOG=1");
  if (message.empty()) return;
  const system::Sent sent = system::send_datagram(fd_.get(), message);
  if (sent == system::Sent::no_room) {
    wait_for_room();
    if (waits_for_room_) return;
  }
  // Also when it could not be sent at all: the service manager has gone.
  state_.clear();
  status_.reset();
  extend_.reset();
  alive_ = false;
}

void ServiceManagerNotifier::wait_for_room() {
  waits_for_room_ = poller_.add(fd_.get(), EPOLLOUT, *this).has_value();
}

void ServiceManagerNotifier::store(int fd, const std::string& name) {
  if (fd_) hand_over({.text = "FDSTORE=1\nFDNAME=" + name, .attached = {}}, fd);
}

void ServiceManagerNotifier::remove(const std::string& name) {
  if (fd_) hand_over({.text = "FDSTOREREMOVE=1\nFDNAME=" + name, .attached = {}}, -1);
}

// The copy is made only where the message has to wait: who stored it may close its own.
void ServiceManagerNotifier::hand_over(StoreMessage message, int attached) {
  if (unsent_.empty() && system::send_datagram(fd_.get(), message.text, attached) != system::Sent::no_room)
    return;
  if (attached >= 0) message.attached = system::copy_of(attached);
  unsent_.push_back(std::move(message));
  if (!waits_for_room_) wait_for_room();
}

// BARRIER=1: the manager closes the descriptor that comes with it after everything before it.
void ServiceManagerNotifier::settle() {
  constexpr Duration long_enough = std::chrono::seconds(5);
  if (fd_ && unsent_.empty()) (void)system::send_and_wait(fd_.get(), "BARRIER=1", long_enough);
}

// False: the rest waits for room.
bool ServiceManagerNotifier::hand_over_the_rest() {
  while (!unsent_.empty()) {
    const StoreMessage& next = unsent_.front();
    if (system::send_datagram(fd_.get(), next.text, next.attached.get()) == system::Sent::no_room) {
      wait_for_room();
      return !waits_for_room_;
    }
    unsent_.pop_front();
  }
  return true;
}

void ServiceManagerNotifier::on_event(std::uint32_t) {
  poller_.remove(fd_.get(), *this);
  waits_for_room_ = false;
  send();
}

}  // namespace belfry::daemon
