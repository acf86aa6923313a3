#include "daemon/notify/access.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>

#include "system/proc.hpp"

namespace belfry::daemon {
namespace {

using config::NotifyAccess;

// A process that waits until it is killed. Owner: the test. Lifecycle: reaped by the destructor.
// Cancellation: none.
class Child {
 public:
  explicit Child(const std::function<void()>& first = [] {}) {
    int ready[2];
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      first();
      ::close(ready[0]);
      ::close(ready[1]);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 0);
    ::close(ready[0]);
  }
  ~Child() { end(); }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

// Runs `check` as the first process of a PID namespace, in a session whose leader is outside, as everything
// below `docker exec` and many CI runners is: getsid(2) says 0 there. True when `check` does.
bool holds_where_the_session_is_foreign(const std::function<bool()>& check) {
  const pid_t outside = ::fork();
  if (outside == 0) {
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(2);
    const pid_t first = ::fork();
    if (first == 0) {
      if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount("proc", "/proc", "proc", 0, nullptr) != 0)
        ::_exit(2);
      ::_exit(::getsid(0) == 0 && check() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(first, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
  }
  int status = 0;
  ::waitpid(outside, &status, 0);
  EXPECT_NE(WEXITSTATUS(status), 2) << "no namespace could be made";
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Speakers whoever_is(pid_t leader, NotifyAccess access = NotifyAccess::all) {
  return {.leader = leader, .main = leader, .hook = 0, .marker = {}, .uid = ::geteuid(), .access = access};
}

TEST(NotifyAccess, a_process_of_the_session_may_speak_and_a_stranger_may_not) {
  EXPECT_TRUE(is_process_of(::getpid(), whoever_is(::getpid())));
  EXPECT_TRUE(is_process_of(::getpid(), whoever_is(::getppid())));  // a descendant
  const Child in_its_session;
  const Child leader([] { ::setsid(); });
  EXPECT_FALSE(is_process_of(in_its_session.pid(), whoever_is(leader.pid())));
  EXPECT_FALSE(is_process_of(1, whoever_is(::getpid())));
}

TEST(NotifyAccess, a_descendant_in_a_session_of_its_own_may_speak) {
  const Child child([] { ::setsid(); });
  EXPECT_EQ(refusal_of({.pid = child.pid(), .uid = ::geteuid()}, whoever_is(::getpid()), true), std::nullopt);
}

TEST(NotifyAccess, an_orphan_is_known_by_the_marker_in_its_environment) {
  const Child child([] {
    ::setsid();
    ::setenv("BELFRY_SERVICE", "test/db#3", 1);
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
  });
  Speakers who = whoever_is(1 << 21);  // a leader that is not there
  who.marker = "test/db#3";
  // The pipe of Child is closed by the exec, so the new environment stands.
  EXPECT_TRUE(is_process_of(child.pid(), who));
  who.marker = "test/db#4";
  EXPECT_FALSE(is_process_of(child.pid(), who));
}

TEST(NotifyAccess, who_is_gone_is_believed_only_when_somebody_of_the_service_can_have_died) {
  const Speakers who = whoever_is(::getppid());
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  const NotifySender sender{.pid = gone, .uid = ::geteuid()};
  EXPECT_EQ(refusal_of(sender, who, true, [] { return true; }), std::nullopt);
  EXPECT_EQ(refusal_of(sender, who, true, [] { return false; }), NotifyRefusal::stranger);
}

TEST(NotifyAccess, whoever_waits_for_a_child_has_buried_somebody) {
  const Speakers who = whoever_is(1 << 21);
  const std::uint64_t before = burials_around(who);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  EXPECT_GT(burials_around(who), before);
  EXPECT_EQ(burials_around(who), burials_around(who));
}

// Dead, not reaped, and with an environment that cannot be read any more: what remains is its place.
TEST(NotifyAccess, who_is_dead_is_known_by_the_orphan_that_started_it) {
  int pids[2];
  ASSERT_EQ(::pipe2(pids, O_CLOEXEC), 0);
  Child orphan([&] {
    ::setsid();
    ::setenv("BELFRY_SERVICE", "test/db#3", 1);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    const std::string number = std::to_string(child);
    if (::write(pids[1], number.data(), number.size()) < 0) ::_exit(1);
    ::execlp("sleep", "sleep", "1000", nullptr);
  });
  std::array<char, 32> text{};
  ASSERT_GT(::read(pids[0], text.data(), text.size() - 1), 0);
  const pid_t sender = std::atoi(text.data());
  // Until it is a zombie, and its parent, which never reaps, has exec'd.
  while (!system::proc::is_exiting(sender) || system::proc::describe(orphan.pid())->name != "sleep" ||
         system::proc::look_up(orphan.pid(), "BELFRY_SERVICE").reading != system::proc::Reading::has)
    ::sched_yield();
  Speakers who = whoever_is(1 << 21);
  who.marker = "test/db#3";
  EXPECT_EQ(refusal_of({.pid = sender, .uid = ::geteuid() + 1}, who, false), std::nullopt);
  who.marker = "test/db#4";
  EXPECT_EQ(refusal_of({.pid = sender, .uid = ::geteuid()}, who, false), NotifyRefusal::stranger);
  EXPECT_EQ(refusal_of({.pid = sender, .uid = ::geteuid()}, who, true), std::nullopt)
      << "as one that is reaped: on the service's own socket";
  ::close(pids[0]);
  ::close(pids[1]);
}

TEST(NotifyAccess, main_means_the_main_process_only) {
  const Child child;
  const Speakers who = whoever_is(::getpid(), NotifyAccess::main);
  EXPECT_EQ(refusal_of({.pid = ::getpid(), .uid = ::geteuid()}, who, true), std::nullopt);
  EXPECT_EQ(refusal_of({.pid = child.pid(), .uid = ::geteuid()}, who, true), NotifyRefusal::not_allowed);
}

TEST(NotifyAccess, exec_means_hooks_too) {
  const Child hook([] { ::setsid(); });
  const Child other;
  Speakers who = whoever_is(::getpid(), NotifyAccess::exec);
  who.hook = hook.pid();
  EXPECT_EQ(refusal_of({.pid = hook.pid(), .uid = ::geteuid()}, who, true), std::nullopt);
  EXPECT_EQ(refusal_of({.pid = other.pid(), .uid = ::geteuid()}, who, true), NotifyRefusal::not_allowed);
  who.access = NotifyAccess::main;
  EXPECT_EQ(refusal_of({.pid = hook.pid(), .uid = ::geteuid()}, who, true), NotifyRefusal::not_allowed);
}

TEST(NotifyAccess, who_is_gone_is_believed_on_the_services_own_socket_only) {
  Child child;
  const pid_t pid = child.pid();
  child.end();
  const Speakers who = whoever_is(::getpid());
  EXPECT_EQ(refusal_of({.pid = pid, .uid = ::geteuid()}, who, true), std::nullopt);
  EXPECT_EQ(refusal_of({.pid = pid, .uid = ::geteuid()}, who, false), NotifyRefusal::stranger);
}

TEST(NotifyAccess, a_claim_to_be_somebody_who_is_gone_is_not_believed_of_another_user) {
  Child child;
  const pid_t pid = child.pid();
  child.end();
  Speakers who = whoever_is(::getpid());
  who.uid = ::geteuid() + 1;  // root claims to be anybody; the service is not root's
  EXPECT_EQ(refusal_of({.pid = pid, .uid = ::geteuid()}, who, true), NotifyRefusal::stranger);
}

TEST(NotifyAccess, who_is_in_a_session_from_outside_is_there_and_is_told_apart) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root makes a PID namespace";
  EXPECT_TRUE(holds_where_the_session_is_foreign([] {
    const Child child;
    return refusal_of({.pid = child.pid(), .uid = ::geteuid()}, whoever_is(::getpid()), true) == std::nullopt;
  }));
  EXPECT_TRUE(holds_where_the_session_is_foreign([] {
    const Child leader([] { ::setsid(); });
    const Child stranger;
    return refusal_of({.pid = stranger.pid(), .uid = ::geteuid()}, whoever_is(leader.pid()), true) ==
           NotifyRefusal::stranger;
  }));
}

TEST(NotifyAccess, who_is_outside_of_the_pid_namespace_is_a_stranger_also_while_only_a_hook_runs) {
  const Child hook([] { ::setsid(); });
  Speakers who = whoever_is(0);
  who.hook = hook.pid();
  EXPECT_EQ(refusal_of({.pid = 0, .uid = ::geteuid()}, who, true), NotifyRefusal::stranger);
}

TEST(NotifyAccess, nobody_speaks_for_what_does_not_run) {
  EXPECT_EQ(refusal_of({.pid = ::getpid(), .uid = ::geteuid()}, whoever_is(0), true),
            NotifyRefusal::stranger);
}

}  // namespace
}  // namespace belfry::daemon
