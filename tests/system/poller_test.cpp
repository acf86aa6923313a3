#include "system/poller.hpp"

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channels/asio.hpp"
#include "channels/bell.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

namespace belfry::system {
namespace {

using testing::ElementsAre;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

// A pipe whose read end is watched; says its name in `heard`, and whether it was data or the end.
class Watched final : public PollWatcher {
 public:
  Watched(Poller& poller, std::string name, std::vector<std::string>& heard)
      : poller_(poller), name_(std::move(name)), heard_(heard) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_ = ends[0];
    write_ = ends[1];
    EXPECT_TRUE(poller_.add(read_, EPOLLIN, *this));
  }
  ~Watched() {
    if (read_ >= 0) close();
    if (write_ >= 0) end();
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  void on_event(std::uint32_t) override {
    char byte = 0;
    const bool data = ::read(read_, &byte, 1) == 1;
    heard_.push_back(name_ + (data ? " data" : " end"));
    if (!data) close();
    if (closes != nullptr) closes->close();
  }
  void write() const { EXPECT_EQ(::write(write_, "x", 1), 1); }
  void end() { ::close(std::exchange(write_, -1)); }
  void close() { poller_.close(OwnedFd(std::exchange(read_, -1)), *this); }
  [[nodiscard]] int fd() const { return read_; }

  Watched* closes = nullptr;  // when this one has heard something

 private:
  Poller& poller_;
  std::string name_;
  std::vector<std::string>& heard_;
  int read_ = -1;
  int write_ = -1;
};

class PollerTest : public testing::Test {
 protected:
  PollerTest() : poller_(std::make_unique<Poller>(root_)) { loop_.run_until_idle(); }
  ~PollerTest() override {
    loop_.abandon();
    poller_.reset();
  }
  // Something else that the kernel tells of, as the signalfd is.
  void tell_other() {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(other_.native_handle(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }

  Loop loop_;
  Context root_{loop_};
  std::unique_ptr<Poller> poller_;
  std::vector<std::string> heard_;
  asio::posix::basic_stream_descriptor<Executor> other_{loop_.executor(),
                                                        ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

TEST_F(PollerTest, data_and_end_at_once_are_data_first) {
  Watched pipe(*poller_, "pipe", heard_);
  pipe.write();
  pipe.end();
  loop_.run_until_idle();
  EXPECT_THAT(heard_, ElementsAre("pipe data", "pipe end"));
}

TEST_F(PollerTest, who_closes_another_one_of_the_round_keeps_it_from_hearing) {
  Watched first(*poller_, "first", heard_);
  Watched second(*poller_, "second", heard_);
  first.closes = &second;
  second.closes = &first;
  first.write();
  second.write();
  loop_.run_until_idle();
  EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(PollerTest, a_descriptor_is_closed_when_nobody_has_anything_to_do) {
  Watched pipe(*poller_, "pipe", heard_);
  const int fd = pipe.fd();
  bool open_at_once = false;
  bool open_in_the_next_round = false;
  loop_.post([&] {
    pipe.close();
    open_at_once = is_open(fd);
    loop_.post([&] { open_in_the_next_round = is_open(fd); });
  });
  loop_.run_until_idle();
  EXPECT_TRUE(open_at_once);
  EXPECT_TRUE(open_in_the_next_round);
  EXPECT_FALSE(is_open(fd));
}

TEST_F(PollerTest, what_the_kernel_told_with_the_end_goes_before_the_closing) {
  Watched pipe(*poller_, "pipe", heard_);
  const int fd = pipe.fd();
  other_.async_wait(asio::posix::descriptor_base::wait_read, [&](error_code) {
    loop_.post(
        [&] { heard_.emplace_back(is_open(fd) ? "other, while it is open" : "other, when it was closed"); });
  });
  loop_.run_until_idle();
  pipe.end();
  tell_other();
  loop_.run_until_idle();
  EXPECT_THAT(heard_, ElementsAre("pipe end", "other, while it is open"));
  EXPECT_FALSE(is_open(fd));
}

// By then the turn's end is over, and the next one comes after what the kernel tells.
TEST_F(PollerTest, a_descriptor_that_is_closed_late_in_a_turn_is_heard_of_no_more) {
  auto pipe = std::make_unique<Watched>(*poller_, "pipe", heard_);
  const int fd = pipe->fd();
  loop_.afterwards([&] {
    pipe->write();
    pipe.reset();
  });
  loop_.run_until_idle();
  EXPECT_TRUE(heard_.empty());
  EXPECT_FALSE(is_open(fd));
}

TEST_F(PollerTest, what_waits_to_be_closed_is_closed_with_the_poller) {
  Watched pipe(*poller_, "pipe", heard_);
  const int fd = pipe.fd();
  pipe.close();
  loop_.abandon();
  poller_.reset();
  EXPECT_FALSE(is_open(fd));
}

Task<void> wait_for_bell(Context& ctx, Bell<>& bell) { (void)co_await bell.wait(ctx); }
Task<void> stop_poller(Poller& poller) { co_await poller.stop(); }

TEST(PollerInBackground, keeps_no_loop_awake_and_delivers_all_the_same) {
  Loop loop;
  Context root(loop);
  Poller poller(root);
  std::vector<std::string> heard;
  Bell<> bell(loop, "never rung");
  WaitGroup tasks(loop);
  spawn(tasks, "sleeper", wait_for_bell(root, bell));
  Watched one(poller, "one", heard);
  loop.run_until_idle();
  poller.wait_in_background();
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  one.write();
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  one.write();
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  EXPECT_THAT(heard, ElementsAre("one data", "one data"));
  one.close();
  bell.ring();
  spawn(tasks, "stopper", stop_poller(poller));
  EXPECT_EQ(loop.run(), RunEnd::finished);
}

}  // namespace
}  // namespace belfry::system
