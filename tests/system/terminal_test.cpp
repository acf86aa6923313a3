#include "system/terminal.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

namespace belfry::system {
namespace {

constexpr int yes = 1, no = 0;
enum class Terminal { none, stays, goes };

// The answer of `ask` in a session of its own.
template <class Ask>
int in_a_session(Terminal terminal, Ask ask) {
  int master = -1, slave = -1, here[2] = {-1, -1}, go[2] = {-1, -1};
  EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  EXPECT_EQ(::pipe(here) + ::pipe(go), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGHUP, SIG_IGN);
    ::close(master);
    ::close(go[1]);
    if (terminal == Terminal::none)
      ::setsid();
    else
      ::login_tty(slave);
    const ControllingTerminal own;
    char byte = 0;
    if (::write(here[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 0) ::_exit(2);
    ::_exit(ask(own) ? yes : no);
  }
  ::close(slave);
  char byte = 0;
  EXPECT_EQ(::read(here[0], &byte, 1), 1);
  if (terminal == Terminal::goes) ::close(master);
  ::close(go[1]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (terminal != Terminal::goes) ::close(master);
  for (const int fd : {here[0], here[1], go[0]}) ::close(fd);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

SignalEvent from(pid_t sender) { return {.number = SIGHUP, .sender = sender}; }

TEST(ControllingTerminal, a_hangup_of_the_kernel_is_its_loss) {
  const ControllingTerminal here;
  EXPECT_TRUE(here.is_lost({.number = SIGHUP, .from_kernel = true}));
}

TEST(ControllingTerminal, a_hangup_of_a_process_is_none_while_the_terminal_is_there) {
  EXPECT_EQ(in_a_session(Terminal::stays, [](const auto& own) { return own.is_lost(from(::getppid())); }),
            no);
}

TEST(ControllingTerminal, who_started_us_passes_on_what_it_got_when_the_terminal_had_gone) {
  EXPECT_EQ(in_a_session(Terminal::goes, [](const auto& own) { return own.is_lost(from(::getppid())); }),
            yes);
  EXPECT_EQ(in_a_session(Terminal::goes, [](const auto& own) { return own.is_lost(from(::getsid(0))); }),
            yes);
}

TEST(ControllingTerminal, anybody_else_means_a_reload_also_long_after_the_terminal_has_gone) {
  EXPECT_EQ(in_a_session(Terminal::goes, [](const auto& own) { return own.is_lost(from(1 << 22)); }), no);
}

TEST(ControllingTerminal, who_never_had_a_terminal_loses_none) {
  EXPECT_EQ(in_a_session(Terminal::none, [](const auto& own) { return own.is_lost(from(::getppid())); }), no);
}

}  // namespace
}  // namespace belfry::system
