#include "tests/system/fixture.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "channels/asio.hpp"
#include "system/subreaper_shim.hpp"

// The tests' own program is what a shim is made of.
__attribute__((constructor)) static void be_shim(int argc, char** argv) {
  belfry::system::be_shim_if_asked(argc, argv);
}

namespace belfry::test {

Capture::Capture() {
  if (::pipe2(ends_, O_CLOEXEC) != 0) std::abort();
}

Capture::~Capture() {
  ::close(ends_[0]);
  close_writer();
}

ino_t Capture::inode() const {
  struct stat info{};
  ::fstat(ends_[0], &info);
  return info.st_ino;
}

void Capture::close_writer() {
  if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
}

std::string Capture::read_line() {
  std::string line;
  char c = 0;
  while (::read(ends_[0], &c, 1) == 1 && c != '\n') line.push_back(c);
  return line;
}

std::string Capture::read_all() {
  close_writer();
  std::string all;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends_[0], buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

system::Launch shell(const std::string& script, const Capture* capture) {
  system::Launch launch;
  launch.set_command(std::vector<std::string>{"/bin/sh", "-c", script});
  launch.set_environment(system::BaseEnvironment::inherited(environ), {});
  if (capture != nullptr) launch.standard_output = launch.standard_error = capture->writer();
  return launch;
}

bool Exits::tree_empty(pid_t leader) const { return std::ranges::find(empty, leader) != empty.end(); }

bool World::run_until(const std::function<bool()>& done, int patience) {
  auto deadline = Clock::now() + std::chrono::seconds(patience);
  loop.run_until_idle();
  while (!done()) {
    if (Clock::now() > deadline) return false;
    loop.io().restart();
    loop.io().run_one_until(deadline);
    loop.run_until_idle();
  }
  return true;
}

pid_t World::spawn(system::Launch& launch) {
  auto spawned = processes.spawn(launch, exits);
  EXPECT_TRUE(spawned) << spawned.error().text(launch.command());
  return spawned.value_or(-1);
}

}  // namespace belfry::test
