#include "daemon/resources/manager_sockets.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "system/copied_fd.hpp"
#include "system/socket_facts.hpp"

namespace belfry::daemon {
namespace {

using system::ActivationSocket;
using system::SocketPlan;

// The store of a service manager: keeps copies, and gives them to the next belfry.
class FakeStore final : public DescriptorStore {
 public:
  std::size_t room() const override { return takes; }
  void store(int fd, const std::string& name) override {
    kept.push_back({.fd = system::copy_of(fd), .name = name});
  }
  void remove(const std::string& name) override {
    std::erase_if(kept, [&](const system::InheritedDescriptor& one) { return one.name == name; });
  }
  void settle() override {}
  std::vector<system::InheritedDescriptor> passed() const {
    std::vector<system::InheritedDescriptor> copies;
    for (const auto& one : kept) copies.push_back({.fd = system::copy_of(one.fd.get()), .name = one.name});
    return copies;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& one : kept) all.push_back(one.name);
    return all;
  }
  std::size_t takes = 8;
  std::vector<system::InheritedDescriptor> kept;
};

class ManagerSocketsTest : public testing::Test {
 protected:
  ManagerSocketsTest() {
    std::string directory = "/tmp/belfry-manager-sockets.XXXXXX";
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    path_ = directory;
    plan_.kind = SocketPlan::Kind::unix_stream;
    plan_.address = path_ + "/app.sock";
    sockets_.store_in(store_);
  }
  ~ManagerSocketsTest() override { std::filesystem::remove_all(path_); }

  SocketPlan at(const std::string& name) const {
    SocketPlan plan = plan_;
    plan.address = path_ + "/" + name;
    return plan;
  }
  // What a socket unit passes.
  void pass(const std::string& name, const SocketPlan& plan) {
    auto made = ActivationSocket::bind(plan);
    ASSERT_TRUE(made);
    std::vector<system::InheritedDescriptor> one;
    one.push_back({.fd = system::copy_of(made->fd()), .name = name});
    sockets_.take(std::move(one));
    theirs_.push_back(std::move(*made));
  }
  static ino_t inode_of(int fd) {
    struct stat status{};
    ::fstat(fd, &status);
    return status.st_ino;
  }

  FakeStore store_;
  std::string path_;
  SocketPlan plan_;
  std::vector<ActivationSocket> theirs_;
  ManagerSockets sockets_;
};

TEST_F(ManagerSocketsTest, what_is_bound_is_stored_and_the_next_belfry_has_the_same_socket) {
  ino_t first = 0;
  {
    auto made = sockets_.get("app", plan_);
    ASSERT_TRUE(made);
    first = inode_of(made->fd());
    EXPECT_EQ(store_.names(), std::vector<std::string>{"belfry/app/unix," + plan_.address});
    sockets_.leave_to_the_next();
  }
  EXPECT_TRUE(std::filesystem::exists(plan_.address));
  ManagerSockets next;
  next.store_in(store_);
  next.take(store_.passed());
  auto again = next.get("app", plan_);
  ASSERT_TRUE(again);
  EXPECT_EQ(inode_of(again->fd()), first);
  EXPECT_EQ(store_.kept.size(), 1U) << "it is there already";
  {
    const ActivationSocket closed = std::move(*again);
  }
  EXPECT_TRUE(store_.kept.empty());
  EXPECT_FALSE(std::filesystem::exists(plan_.address)) << "its file is belfry's own";
}

TEST_F(ManagerSocketsTest, what_is_let_go_while_belfry_runs_is_taken_out_of_the_store) {
  {
    auto made = sockets_.get("app", plan_);
  }
  EXPECT_TRUE(store_.kept.empty());
  EXPECT_FALSE(std::filesystem::exists(plan_.address));
}

TEST_F(ManagerSocketsTest, what_nobody_asks_for_is_closed_but_for_the_names_that_come_later) {
  {
    auto one = sockets_.get("one", at("1"));
    auto two = sockets_.get("two", at("2"));
    sockets_.leave_to_the_next();
  }
  ManagerSockets next;
  next.store_in(store_);
  next.take(store_.passed());
  next.give_up_all_but({"two"});
  EXPECT_EQ(store_.names(), std::vector<std::string>{"belfry/two/unix," + at("2").address});
  EXPECT_FALSE(std::filesystem::exists(at("1").address));
  EXPECT_TRUE(std::filesystem::exists(at("2").address));
}

TEST_F(ManagerSocketsTest, one_that_would_be_made_in_another_way_now_is_replaced) {
  {
    auto made = sockets_.get("app", plan_);
    sockets_.leave_to_the_next();
  }
  ManagerSockets next;
  next.store_in(store_);
  next.take(store_.passed());
  plan_.mode = 0600;
  auto made = next.get("app", plan_);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(store_.kept.size(), 1U);
  EXPECT_EQ(inode_of(store_.kept[0].fd.get()), inode_of(made->fd()));
  EXPECT_TRUE(system::is_made_as(made->fd(), plan_));
}

TEST_F(ManagerSocketsTest, of_two_with_one_name_in_the_store_the_other_stays_there) {
  SocketPlan shared;
  shared.address = "127.0.0.1";
  shared.reuse_port = true;
  {
    auto probe = ActivationSocket::bind(shared);
    ASSERT_TRUE(probe);
    shared.port = system::plan_of(probe->fd())->port;
  }
  auto one = sockets_.get("http", shared);
  std::optional<Result<ActivationSocket>> two = sockets_.get("http", shared);
  ASSERT_TRUE(one && *two);
  EXPECT_EQ(store_.kept.size(), 2U);
  two.reset();
  ASSERT_EQ(store_.kept.size(), 1U);
  EXPECT_EQ(inode_of(store_.kept[0].fd.get()), inode_of(one->fd()));
  sockets_.leave_to_the_next();
}

TEST_F(ManagerSocketsTest, more_than_the_store_takes_is_bound_and_said_once) {
  store_.takes = 1;
  std::vector<std::string> remarks;
  sockets_.on_remark = [&](const std::string& text) { remarks.push_back(text); };
  auto one = sockets_.get("one", at("1"));
  auto two = sockets_.get("two", at("2"));
  auto three = sockets_.get("three", at("3"));
  EXPECT_TRUE(one && two && three);
  EXPECT_EQ(store_.kept.size(), 1U);
  EXPECT_EQ(remarks.size(), 1U);
  sockets_.leave_to_the_next();
}

TEST_F(ManagerSocketsTest, without_room_nothing_is_stored) {
  store_.takes = 0;
  const auto made = sockets_.get("app", plan_);
  EXPECT_TRUE(made);
  EXPECT_TRUE(store_.kept.empty());
}

TEST_F(ManagerSocketsTest, what_is_passed_is_given_again_and_again_and_its_file_is_left_alone) {
  pass("app", plan_);
  for (int i = 0; i < 2; ++i) {
    const auto made = sockets_.get("app", plan_);
    ASSERT_TRUE(made);
    EXPECT_EQ(inode_of(made->fd()), inode_of(theirs_[0].fd()));
  }
  EXPECT_TRUE(std::filesystem::exists(plan_.address));
  EXPECT_TRUE(store_.kept.empty()) << "the manager has it";
}

TEST_F(ManagerSocketsTest, a_name_or_an_address_that_differs_is_an_error_that_names_both) {
  pass("app", plan_);
  const auto elsewhere = sockets_.get("app", at("other"));
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().message().find(
                "cannot listen on unix:" + at("other").address +
                ": the service manager has passed the socket `app` as unix:" + plan_.address),
            0U);
  const auto otherwise = sockets_.get("web", plan_);
  ASSERT_FALSE(otherwise);
  EXPECT_NE(otherwise.error().message().find("has passed it as `app`"), std::string::npos);
}

TEST_F(ManagerSocketsTest, what_is_passed_to_nobody_is_named) {
  pass("app", plan_);
  EXPECT_TRUE(sockets_.unknown({"app", "web"}).empty());
  EXPECT_EQ(sockets_.unknown({"web"}), std::vector<std::string>{"`app` (unix:" + plan_.address + ")"});
}

}  // namespace
}  // namespace belfry::daemon
