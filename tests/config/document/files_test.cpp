#include "config/document/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

int code_of(const std::string& path, Accept accept = Accept::files) {
  const auto text = read_file(path, 100, accept);
  return text ? 0 : text.error().code;
}

TEST(Files, are_read_whole_up_to_the_bound) {
  const Directory dir;
  EXPECT_EQ(read_file(dir.write("a", "text"), 4), "text");
  EXPECT_EQ(read_file(dir.write("a", "text"), 3).error().code, EFBIG);
  EXPECT_EQ(read_file(dir.write("empty", ""), 0), "");
}
TEST(Files, of_unknown_size_are_read_to_their_end) {
  EXPECT_TRUE(read_file("/proc/self/stat", 4096)->starts_with(std::to_string(::getpid())));
}
TEST(Files, that_are_none_are_refused_without_waiting) {
  const Directory dir;
  const std::string fifo = dir.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(code_of(fifo), EINVAL);
  EXPECT_EQ(code_of("/dev/zero"), EINVAL);
  EXPECT_EQ(code_of("/dev/zero", Accept::files_and_pipes), EINVAL);
  EXPECT_EQ(code_of("/dev/tty", Accept::files_and_pipes), EINVAL);
  EXPECT_EQ(code_of(dir.path().string(), Accept::files_and_pipes), EISDIR);
  EXPECT_EQ(code_of(dir.path("nothing")), ENOENT);
}
TEST(Files, a_socket_is_none) {
  const Directory dir;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, dir.path("s").c_str(), sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(code_of(dir.path("s"), Accept::files_and_pipes), EINVAL);
  ::close(socket);
}
TEST(Files, the_null_device_is_an_empty_one) { EXPECT_EQ(read_file("/dev/null", 0), ""); }
TEST(Files, a_pipe_nobody_writes_to_is_empty) {
  const Directory dir;
  ASSERT_EQ(::mkfifo(dir.path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_file(dir.path("fifo"), 100, Accept::files_and_pipes), "");
}
TEST(Files, a_pipe_is_read_to_its_end_and_within_the_bound) {
  ::signal(SIGPIPE, SIG_IGN);
  for (const std::size_t most : {200'000U, 1000U}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    std::thread writer([&] {
      const std::string text(200'000, 'x');
      for (std::size_t at = 0; at < text.size();) {
        const ssize_t put = ::write(ends[1], text.data() + at, text.size() - at);
        if (put <= 0) break;
        at += static_cast<std::size_t>(put);
      }
      ::close(ends[1]);
    });
    const auto text = read_file("/proc/self/fd/" + std::to_string(ends[0]), most, Accept::files_and_pipes);
    ::close(ends[0]);  // whatever the writer still holds has nowhere to go
    writer.join();
    if (most == 1000)
      EXPECT_EQ(text.error().code, EFBIG);
    else
      EXPECT_EQ(text->size(), 200'000U);
  }
}

}  // namespace
}  // namespace belfry::config
