#include "daemon/resources/ready_fd.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "channels/loop.hpp"

namespace belfry::daemon {
namespace {

class ReadyFdTest : public testing::Test, protected ReadyFdListener {
 protected:
  ReadyFdTest() : poller_(std::make_unique<system::Poller>(root_)) {}
  ~ReadyFdTest() override {
    ready_.reset();
    loop_.abandon();
    poller_.reset();
  }
  void open(config::FdDialect dialect) {
    probe_.fd = 7;
    probe_.dialect = dialect;
    ReadyFdListener& listener = *this;
    ready_ = std::make_unique<ReadyFd>(*poller_, listener, probe_);
    hand_over();
  }
  // As a spawn does: the child has its copy, ours is closed.
  void hand_over() {
    const auto end = ready_->open();
    ASSERT_TRUE(end);
    child_ = ::dup(*end);
    ready_->passed();
  }
  void write(std::string_view text) const {
    ASSERT_EQ(::write(child_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_child() const { ::close(child_); }
  void wrote_ready(const config::Probe& probe) override {
    said_.push_back("ready " + std::to_string(probe.fd));
  }
  void closed_unready(const config::Probe&, const Error& why) override { said_.push_back(why.text()); }
  std::vector<std::string> said() {
    ready_->drain();
    return said_;
  }

  config::Probe probe_;
  Loop loop_;
  Context root_{loop_};
  std::unique_ptr<system::Poller> poller_;
  std::unique_ptr<ReadyFd> ready_;
  std::vector<std::string> said_;
  int child_ = -1;
};

using Said = std::vector<std::string>;

TEST_F(ReadyFdTest, s6_is_bytes_up_to_a_newline_in_any_number_of_pieces) {
  open(config::FdDialect::s6);
  write("I am");
  EXPECT_EQ(said(), Said());
  write(" up\n");
  EXPECT_EQ(said(), Said({"ready 7"}));
  close_child();
  EXPECT_EQ(said(), Said({"ready 7"})) << "the end after the newline means nothing";
}

TEST_F(ReadyFdTest, s6_that_ends_without_a_newline_stays_unready_and_says_why) {
  open(config::FdDialect::s6);
  write("nearly");
  close_child();
  EXPECT_EQ(said(), Said({"cannot become ready: it closed descriptor 7 before it wrote a newline"}));
}

TEST_F(ReadyFdTest, dinit_is_any_byte) {
  open(config::FdDialect::dinit);
  write("x");
  EXPECT_EQ(said(), Said({"ready 7"}));
  close_child();
}

TEST_F(ReadyFdTest, dinit_that_ends_without_a_byte_says_so) {
  open(config::FdDialect::dinit);
  close_child();
  EXPECT_EQ(said(), Said({"cannot become ready: it closed descriptor 7 before it wrote a byte"}));
}

TEST_F(ReadyFdTest, endless_bytes_without_a_newline_are_given_up) {
  open(config::FdDialect::s6);
  const std::string block(4096, 'x');
  for (int i = 0; i < 15; ++i) write(block);
  EXPECT_EQ(said(), Said());
  write(block);
  EXPECT_EQ(said(), Said({"cannot become ready: it wrote 65536 bytes to descriptor 7 and no newline"}));
  close_child();
}

TEST_F(ReadyFdTest, a_pipe_that_was_not_passed_on_is_kept_for_the_next_attempt) {
  open(config::FdDialect::s6);
  close_child();
  const auto first = ready_->open();
  const auto second = ready_->open();
  EXPECT_EQ(*first, *second);
  EXPECT_TRUE(ready_->is_open());
  ready_->close();
  EXPECT_FALSE(ready_->is_open());
  EXPECT_EQ(said(), Said()) << "who closes it asks for no answer";
}

TEST_F(ReadyFdTest, a_new_run_has_a_pipe_of_its_own) {
  open(config::FdDialect::s6);
  const int first = child_;
  hand_over();
  EXPECT_EQ(::write(first, "", 0), 0);
  write("\n");
  EXPECT_EQ(said(), Said({"ready 7"}));
  ::close(first);
  close_child();
}

TEST_F(ReadyFdTest, is_heard_through_the_loop) {
  open(config::FdDialect::s6);
  write("\n");
  loop_.run_until_idle();
  EXPECT_EQ(said_, Said({"ready 7"}));
  close_child();
}

}  // namespace
}  // namespace belfry::daemon
