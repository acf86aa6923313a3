#include "daemon/notify_access.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

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

Speakers whoever_is(pid_t leader, NotifyAccess access = NotifyAccess::all) {
  return {.leader = leader, .main = leader, .hook = 0, .marker = {}, .uid = ::geteuid(), .access = access};
}

TEST(NotifyAccess, a_process_of_the_session_may_speak_and_a_stranger_may_not) {
  EXPECT_TRUE(is_process_of(::getpid(), whoever_is(::getpid())));
  EXPECT_TRUE(is_process_of(::getpid(), whoever_is(::getppid())));  // a descendant
  EXPECT_TRUE(is_process_of(::getpid(), whoever_is(::getsid(0))));
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

TEST(NotifyAccess, nobody_speaks_for_what_does_not_run) {
  EXPECT_EQ(refusal_of({.pid = ::getpid(), .uid = ::geteuid()}, whoever_is(0), true),
            NotifyRefusal::stranger);
}

}  // namespace
}  // namespace belfry::daemon
