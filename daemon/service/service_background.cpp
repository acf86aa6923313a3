// A daemon that goes to the background by itself: the process that belfry started forks and exits with 0, and
// what it has left is the service (systemd.service(5), Type=forking).
//
// The run goes on as long as anybody of its tree is there. Its main process is the one that it names
// (MAINPID=, or a pid file that `ready: file` waits for), or the only one that is left; otherwise the tree as
// a whole is asked to stop, and its end is the run's. Without `ready:` nobody could tell when such a service
// is up, so it is refused.
#include <algorithm>
#include <charconv>

#include "daemon/service/service.hpp"
#include "system/open_file.hpp"
#include "system/proc.hpp"
#include "system/visibility.hpp"

namespace belfry::daemon {

namespace {

// The first process may be the last to know that its child is ready, and leave a moment after the bell. What
// leaves children behind later than that has not gone to the background, it has ended.
constexpr Duration latest_leave = std::chrono::seconds(5);

// Until it is looked for its main process again; each is twice as long as the one before, 4 s in all.
constexpr Duration first_pause = std::chrono::milliseconds(1);
constexpr std::uint8_t most_looks = 12;

// The number in a pid file; 0: there is none. Nothing waits for a writer: the path may be a FIFO.
pid_t pid_in(const std::string& path) {
  constexpr off_t longest = 65536;  // the number is its first line: postmaster.pid has more
  std::string text;
  if (!system::read_regular_file(path, longest, text)) return 0;
  pid_t pid = 0;
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin != std::string::npos) std::from_chars(text.data() + begin, text.data() + text.size(), pid);
  return pid;
}

}  // namespace

// Asked when the process that was started has ended.
bool Service::goes_on_in_background(const system::ExitStatus& status) {
  if (spec().type != config::ServiceType::daemon || spec().main || !status.success()) return false;
  if (record_.state == State::stopping || record_.intent != Intent::run || record_.run.failure) return false;
  if (record_.run.ready_at && runtime_.loop.now() - *record_.run.ready_at > latest_leave) return false;
  if (spec().ready.empty()) {
    std::string left = text_of(survivors());
    // Without /proc the group still tells that somebody is there.
    if (left.empty() && !system::proc::is_ours() && runtime_.processes.tree_alive(tree()))
      left = "what cannot be named (" + system::why_processes_are_hidden() + ")";
    if (left.empty()) return false;
    record_.run.refused = true;
    record_.run.failure = Error::failed(std::string(name()) + " daemonised: it forked, left " + left +
                                        " and exited with 0; give it `ready:`, or run it in the foreground");
    return false;
  }
  if (!runtime_.processes.tree_alive(tree())) return false;
  record_.run.in_background = true;
  record_.run.background_was_seen = !survivors().empty();
  all_heard_ = false;
  runtime_.processes.watch_tree(tree(), *this);
  return true;
}

// Whom its probes, if any, point at.
void Service::find_main_process() {
  const auto left = survivors();
  record_.run.background_was_seen = record_.run.background_was_seen || !left.empty();
  pid_t found = left.size() == 1 ? left.front().pid : 0;
  for (const config::Probe& probe : spec().ready.probes) {
    if (probe.kind != config::Probe::Kind::file) continue;
    const pid_t named = pid_in(bound({probe.target}).front());
    if (std::ranges::find(left, named, &system::Survivor::pid) != left.end()) found = named;
  }
  if (found != 0 && resources().follow_main(found)) main_process_is(found);
}

// Once it is ready. Of several one may be left soon: whoever forked between, or was run by the one who stays,
// takes a moment to leave, and is nobody's whose end is told here. So a few more looks are taken, ever more
// seldom. The end of a main process is the run's, whoever is left: no other one is looked for.
TimePoint Service::look_for_main_process() {
  Run& run = record_.run;
  if (!run.in_background || run.main != 0 || run.exit || run.looks_for_main == most_looks)
    return TimePoint::max();
  if (run.look_for_main_at > runtime_.loop.horizon()) return run.look_for_main_at;
  find_main_process();
  if (run.main != 0) return TimePoint::max();
  run.look_for_main_at = saturating_add(runtime_.loop.now(), first_pause * (1U << run.looks_for_main++));
  return run.look_for_main_at;
}

// Nobody saw how the last one ended, unless the service has said so. Where nobody was there, the first
// process was all of it: an orphan of somebody else that was just calling execve(2) was taken for one of its
// own.
void Service::background_is_gone() {
  if (!record_.run.in_background || record_.run.exit || record_.state == State::stopping) return;
  resources().drain();
  if (const auto status = record_.run.said.exit_status())
    it_ended(system::ExitStatus{.signaled = false, .value = *status});
  else if (!record_.run.background_was_seen)
    it_ended(system::ExitStatus{});
  else if (!record_.run.failure)
    record_.run.failure = Error::failed(
        std::string(name()) + " ended: all that it had left in the background is gone, and nobody knows how");
  if (!record_.run.exit) it_ended(system::ExitStatus{});
}

// True: there is somebody to ask to stop, and to run `pre_stop` for.
bool Service::has_main_process() const {
  return main_pid() != 0 || (record_.run.in_background && !record_.run.tree_gone && !record_.run.exit);
}

}  // namespace belfry::daemon
