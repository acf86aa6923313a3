#include "daemon/service/hook.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "daemon/service/stop_rules.hpp"

namespace belfry::daemon {

namespace {

constexpr std::string_view hook_names[] = {"pre_start", "post_start", "pre_stop", "post_stop"};

// What bounds it, by the name it has in the file.
constexpr std::string_view bounds[] = {"ready.timeout", "ready.timeout", "stop.timeout", "stop.timeout"};

}  // namespace

const config::Command* command_of(const config::Service& service, Hook which) {
  if (service.extras == nullptr) return nullptr;
  const config::ServiceExtras& e = *service.extras;
  const config::Command* commands[] = {&e.pre_start, &e.post_start, &e.pre_stop, &e.post_stop};
  const config::Command* found = commands[static_cast<std::size_t>(which)];
  return found->empty() ? nullptr : found;
}

std::string text_of(Hook which, std::string_view service) {
  return std::string(hook_names[static_cast<std::size_t>(which)]) + " of " + std::string(service);
}

HookRun::HookRun(Loop& loop, system::Processes& processes, Wakeup& attention, Hook which, std::string what,
                 HookTerms terms)
    : loop_(loop),
      processes_(processes),
      attention_(attention),
      which_(which),
      what_(std::move(what)),
      terms_(std::move(terms)) {}

HookRun::~HookRun() {
  if (pid_ != 0) processes_.disown(pid_);
}

Task<Result<bool>> HookRun::perform(Context& ctx, system::Launch& launch, system::OwnedFd child) {
  const TimePoint began = loop_.now();
  if (auto cloned = clone(launch, std::move(child)); !cloned) co_return std::unexpected(cloned.error());
  const system::TreeId group{.leader = pid_, .marker = {}, .log_pipe = 0};
  co_await wait(ctx, began);
  processes_.signal(group, SIGKILL, system::Scope::group);  // what it forked has had its time
  if (!error_ && exit_ && !asked_ && !exit_->success()) error_ = Error::failed(what_ + " " + exit_->text());
  if (error_) co_return std::unexpected(error_);
  co_return exit_.has_value() && !asked_;
}

Result<void> HookRun::clone(system::Launch& launch, system::OwnedFd child) {
  const auto pid = processes_.spawn(launch, *this);
  child.close();
  if (!pid)
    return std::unexpected(Error::failed("cannot run " + what_ + ": " + pid.error().text(launch.command())));
  pid_ = *pid;
  terms_.started(pid_);
  return {};
}

Task<void> HookRun::wait(Context& ctx, TimePoint began) {
  TimePoint patience = TimePoint::max();  // with one that was asked to end
  TimePoint killed_at = TimePoint::max();
  while (pid_ != 0 && !ctx.cancelled()) {
    const TimePoint deadline = std::min(terms_.deadline(began), patience);
    TimePoint due = is_of_start(which_) ? std::min(deadline, terms_.look_around()) : deadline;
    if (deadline <= loop_.horizon()) {
      error_ = Error::failed(what_ + " did not end in time: killed (" +
                             std::string(bounds[static_cast<std::size_t>(which_)]) + ")");
      kill();
      killed_at = std::min(killed_at, loop_.now());
      due = killed_at + sigkill_takes;
      if (due <= loop_.now()) {
        give_up();
        break;
      }
    } else if (!asked_ && terms_.is_pointless()) {
      asked_ = true;
      patience = saturating_add(loop_.now(), terms_.patience);
      processes_.signal({.leader = pid_, .marker = {}, .log_pipe = 0}, SIGTERM, system::Scope::group);
      continue;
    }
    auto called = on(attention_);
    auto late = by(loop_, due);
    co_await select(ctx, called, late);
  }
}

void HookRun::kill() {
  if (pid_ != 0)
    processes_.signal({.leader = pid_, .marker = {}, .log_pipe = 0}, SIGKILL, system::Scope::group);
}

// The kernel does not end it: nobody waits for it any more. What can be seen of it belongs to the tree.
void HookRun::give_up() {
  const auto left = processes_.survivors({.leader = pid_, .marker = {}, .log_pipe = 0});
  error_ = Error::failed(what_ + " did not end in time, and cannot be killed: " + text_of(left));
  processes_.disown(std::exchange(pid_, 0));
}

void HookRun::on_exit(pid_t, system::ExitStatus status) {
  pid_ = 0;
  exit_ = status;
  attention_.notify();
}

}  // namespace belfry::daemon
