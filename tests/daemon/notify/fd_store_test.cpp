#include "daemon/notify/fd_store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "channels/loop.hpp"

namespace belfry::daemon {
namespace {

class FdStoreTest : public testing::Test {
 protected:
  ~FdStoreTest() override {
    store_.clear();
    loop_.abandon();
  }
  static int a_file() { return ::memfd_create("test", MFD_CLOEXEC); }
  static bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
  static std::array<int, 2> a_pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    return ends;
  }
  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const NamedDescriptor& one : store_.lend()) found.emplace_back(one.name);
    store_.take_back();
    return found;
  }

  Loop loop_;
  Context root_{loop_};
  system::Poller poller_{root_};
  std::size_t told_ = 0;
  FdStore store_{poller_, 3, [this](std::size_t held) { told_ = held; }};
};

TEST_F(FdStoreTest, what_is_stored_is_lent_in_order_and_under_its_name) {
  EXPECT_TRUE(store_.add(system::OwnedFd(a_file()), "state", true));
  EXPECT_TRUE(store_.add(system::OwnedFd(a_file()), "", true));
  EXPECT_TRUE(store_.add(system::OwnedFd(a_file()), "state", true));
  EXPECT_EQ(names(), (std::vector<std::string>{"state", "stored", "state"}));
}

TEST_F(FdStoreTest, beyond_the_limit_nothing_is_kept_and_nothing_leaks) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(store_.add(system::OwnedFd(a_file()), "x", true));
  const int one_more = a_file();
  EXPECT_FALSE(store_.add(system::OwnedFd(one_more), "x", true));
  EXPECT_FALSE(is_open(one_more));
  EXPECT_EQ(store_.size(), 3U);
}

TEST_F(FdStoreTest, the_same_open_file_is_kept_once) {
  const int fd = a_file();
  EXPECT_TRUE(store_.add(system::OwnedFd(fd), "x", true));
  const int again = ::dup(fd);
  EXPECT_TRUE(store_.add(system::OwnedFd(again), "x", true));
  EXPECT_EQ(store_.size(), 1U);
  EXPECT_FALSE(is_open(again));
}

TEST_F(FdStoreTest, removal_is_by_name_and_closes) {
  const int kept = a_file(), removed = a_file();
  store_.add(system::OwnedFd(kept), "a", true);
  store_.add(system::OwnedFd(removed), "b", true);
  store_.remove("b");
  store_.remove("nobody");
  EXPECT_FALSE(is_open(removed));
  EXPECT_TRUE(is_open(kept));
}

TEST_F(FdStoreTest, what_has_lost_its_other_end_goes_by_itself) {
  const auto ends = a_pair();
  store_.add(system::OwnedFd(ends[0]), "x", true);
  loop_.run_until_idle();
  EXPECT_EQ(store_.size(), 1U);
  ::close(ends[1]);
  loop_.run_until_idle();
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_FALSE(is_open(ends[0]));
}

TEST_F(FdStoreTest, a_descriptor_that_the_service_still_has_open_itself_is_watched_no_longer_once_dropped) {
  const auto ends = a_pair();
  const int of_the_service = ::dup(ends[0]);
  store_.add(system::OwnedFd(ends[0]), "x", true);
  store_.remove("x");
  ::close(ends[1]);
  loop_.run_until_idle();  // would call a watcher that is gone, if the kernel still knew it
  EXPECT_EQ(store_.size(), 0U);
  ::close(of_the_service);
}

TEST_F(FdStoreTest, unpolled_ones_stay_whatever_happens_to_them) {
  const auto ends = a_pair();
  store_.add(system::OwnedFd(ends[0]), "x", false);
  ::close(ends[1]);
  loop_.run_until_idle();
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(FdStoreTest, what_is_lent_stays_open_until_it_is_taken_back) {
  const auto ends = a_pair();
  store_.add(system::OwnedFd(ends[0]), "x", true);
  EXPECT_EQ(store_.lend().size(), 1U);
  ::close(ends[1]);
  loop_.run_until_idle();
  EXPECT_TRUE(is_open(ends[0])) << "its number stands in a launch";
  store_.take_back();
  EXPECT_FALSE(is_open(ends[0]));
}

}  // namespace
}  // namespace belfry::daemon
