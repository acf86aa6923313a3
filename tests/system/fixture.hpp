// Real processes under test: a loop with signals, a reaper, and what the children wrote.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "channels/loop.hpp"
#include "system/launch.hpp"
#include "system/native.hpp"
#include "system/process.hpp"
#include "system/signals.hpp"
#include "tests/support/fake_syscalls.hpp"

namespace belfry::test {

// A pipe whose read end the test drains.
class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  [[nodiscard]] int writer() const { return ends_[1]; }
  [[nodiscard]] ino_t inode() const;
  void close_writer();
  std::string read_line();  // blocks until a line is there; without the newline
  std::string read_all();   // closes the writer, blocks until everybody else did

 private:
  int ends_[2];
};

// {"/bin/sh", "-c", script}, belfry's environment, output into `capture` when given.
system::Launch shell(const std::string& script, const Capture* capture = nullptr);

class Exits final : public system::ExitWatcher, public system::TreeWatcher {
 public:
  void on_exit(pid_t pid, system::ExitStatus status) override {
    statuses[pid] = status;
    if (also) also(pid);
  }
  void on_tree_empty(pid_t leader) override { empty.push_back(leader); }
  [[nodiscard]] bool tree_empty(pid_t leader) const;

  std::map<pid_t, system::ExitStatus> statuses;
  std::vector<pid_t> empty;
  std::function<void(pid_t)> also;
};

struct World {
  // Turns the loop, waiting for I/O, until `done` holds. Gives up (and fails) after `patience` seconds.
  bool run_until(const std::function<bool()>& done, int patience = 20);
  pid_t spawn(system::Launch& launch);  // fails the test when it does not start

  system::SignalBlock block;
  Loop loop;
  system::Signals signals{loop};
  FakeSyscalls kernel;
  system::NativeProcesses processes{loop, signals, kernel};
  Exits exits;
};

}  // namespace belfry::test
