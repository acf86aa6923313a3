// A reload of the stack: from the files to what runs.
//
//   read and check them (beside the loop) → compare → admit what can be made before → stop, exchange, start
//
// Up to the last arrow nothing is touched, and whatever is wrong is an answer. From there on it goes on,
// whoever asked leaves or not. One at a time: who comes meanwhile waits, and reads the files as they are
// then.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/mutex.hpp"
#include "channels/wait_group.hpp"
#include "daemon/resources/native_resources.hpp"
#include "daemon/run/stack_file.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "daemon/view/reload.hpp"

namespace belfry::daemon {

// Owner: the daemon. Lifecycle: as long as the supervisor; close() before the stack goes down.
// Cancellation: of who asks, by its context: what is under way goes on; close() ends that as well.
class Reloader final : public StackReloader {
 public:
  // `stack`: what runs now. `is_private`: of `exec`.
  Reloader(Context& parent, Supervisor& supervisor, NativeResources& resources, StackFiles files,
           const config::Stack& stack, bool is_private);

  Task<ReloadResult> reload(Context& ctx, ReloadRequest request) override;
  // On behalf of nobody who waits; the answer goes to `answered`.
  void reload_in_background();
  Task<void> close();
  // What holds for the whole stack now.
  [[nodiscard]] const config::Stack& settings() const { return settings_; }

  // A reload is about to touch something, asked for by this one; and has, which it says in its message.
  std::function<void(const std::string& by)> on_begin = [](const std::string&) {};
  std::function<void(const ReloadResult&)> on_end = [](const ReloadResult&) {};
  // Of one in the background, and of the file's warnings.
  std::function<void(const ReloadResult&)> answered = [](const ReloadResult&) {};
  std::function<void(const std::string&)> on_remark = [](const std::string&) {};

 private:
  struct Job;
  Task<void> answer_in_background();
  Task<Result<NewStack>> read(Context& ctx, std::vector<SourceFile>& files, ReloadResult& result);
  Task<void> exchange(std::shared_ptr<Job> job, ReloadResult result);
  [[nodiscard]] std::string why_not(const NewStack& next) const;

  Context context_;
  Supervisor& supervisor_;
  NativeResources& resources_;
  StackFiles files_;
  config::Stack settings_;  // without its services
  bool is_private_;
  Mutex one_at_a_time_;
  WaitGroup tasks_;
};

}  // namespace belfry::daemon
