// The smallest probe, and the smallest test of one; then what it is told of.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "probes/kinds.hpp"
#include "system/path_watch.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using test::answer;

config::Probe spec(std::string path, config::FileExpectation expected = {}) {
  config::Probe probe;
  probe.kind = config::Probe::Kind::file;
  probe.target = std::move(path);
  probe.file = std::make_unique<config::FileExpectation>(std::move(expected));
  return probe;
}

const config::FileExpectation gone{.exists = false, .socket = false, .contains = {}};
const config::FileExpectation a_socket{.exists = true, .socket = true, .contains = {}};

struct FileProbe : testing::Test, NewsListener {
  FileProbe() {
    std::string made = testing::TempDir() + "belfry-file-XXXXXX";
    directory = ::mkdtemp(made.data());
  }
  ~FileProbe() override { std::filesystem::remove_all(directory); }
  void on_news() override { ++news; }

  std::string path(const std::string& name) const { return directory + "/" + name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  std::string ask(const config::Probe& what) { return answer(loop, **make_file(watches, what)); }

  Loop loop;
  system::PathWatches watches{loop};
  std::string directory;
  int news = 0;
};

TEST_F(FileProbe, is_true_when_the_path_exists) { EXPECT_EQ(ask(spec("/etc/passwd")), ""); }

TEST_F(FileProbe, says_what_it_cannot_find) {
  EXPECT_EQ(ask(spec("/no/such/file")), "cannot find /no/such/file: No such file or directory");
}

TEST_F(FileProbe, is_refused_without_a_path) { EXPECT_FALSE(make_file(watches, {})); }

TEST_F(FileProbe, may_wait_until_there_is_no_such_file) {
  EXPECT_EQ(ask(spec(path("lock"), gone)), "");
  EXPECT_EQ(ask(spec(path("no/such/directory/lock"), gone)), "");
  write("lock", "");
  EXPECT_EQ(ask(spec(path("lock"), gone)), path("lock") + " is still there");
  EXPECT_EQ(ask(spec(path("lock/below"), gone)), "");
}

TEST_F(FileProbe, what_it_cannot_see_is_not_gone) {
  ::symlink("loop", path("loop").c_str());
  EXPECT_EQ(ask(spec(path("loop/x"), gone)),
            "cannot tell whether " + path("loop/x") + " is gone: Too many levels of symbolic links");
}

TEST_F(FileProbe, may_ask_for_a_socket) {
  write("plain", "");
  EXPECT_EQ(ask(spec(path("plain"), a_socket)), path("plain") + " is not a socket");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path("s").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(ask(spec(path("s"), a_socket)), "");
  ::close(fd);
}

TEST_F(FileProbe, may_ask_for_what_it_contains) {
  write("log", "step 1\nstep 2\n");
  EXPECT_EQ(ask(spec(path("log"), {.contains = "step \\d$"})),
            "what `contains` asks for does not occur in " + path("log"));
  EXPECT_EQ(ask(spec(path("log"), {.contains = "(?m)^step 2$"})), "");
  EXPECT_EQ(ask(spec(path("none"), {.contains = "a"})),
            "cannot read " + path("none") + ": No such file or directory");
  EXPECT_EQ(ask(spec("/proc/self/status", {.contains = "(?m)^Name:"})), "") << "a file without a size";
}

TEST_F(FileProbe, reads_only_the_beginning_of_a_file_that_is_huge) {
  write("huge", "");
  ASSERT_EQ(::truncate(path("huge").c_str(), off_t{1} << 40), 0);
  const std::string why = ask(spec(path("huge"), {.contains = "x"}));
  EXPECT_TRUE(why.ends_with(", of which the first 1024 KiB are read")) << why;
}

TEST_F(FileProbe, neither_waits_for_nor_drinks_from_what_is_no_regular_file) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(ask(spec(path("fifo"), {.contains = "a"})),
            "cannot read " + path("fifo") + ": it is not a regular file");
  EXPECT_EQ(ask(spec("/dev/zero", {.contains = "a"})), "cannot read /dev/zero: it is not a regular file");
}

TEST_F(FileProbe, is_told_as_long_as_somebody_listens) {
  const auto probe = std::move(*make_file(watches, spec(path("ready"))));
  EXPECT_FALSE(probe->is_told());
  probe->tell(this);
  EXPECT_TRUE(probe->is_told()) << "before anybody has asked";
  EXPECT_EQ(probe->polling(), "");
  write("ready", "");
  loop.run_until_idle();
  EXPECT_GT(news, 0);
  EXPECT_EQ(answer(loop, *probe), "");
  probe->tell(nullptr);
  news = 0;
  std::filesystem::remove(path("ready"));
  loop.run_until_idle();
  EXPECT_EQ(news, 0);
}

TEST_F(FileProbe, is_told_of_what_is_written_only_when_it_reads_it) {
  write("log", "step 1\n");
  const auto reading = std::move(*make_file(watches, spec(path("log"), {.contains = "step 2"})));
  const auto looking = std::move(*make_file(watches, spec(path("log"), gone)));
  struct Count final : NewsListener {
    void on_news() override { ++news; }
    int news = 0;
  } of_looking;
  reading->tell(this);
  looking->tell(&of_looking);
  EXPECT_NE(answer(loop, *reading), "");
  EXPECT_NE(answer(loop, *looking), "");
  std::ofstream(path("log"), std::ios::app) << "step 2\n";
  loop.run_until_idle();
  EXPECT_GT(news, 0);
  EXPECT_EQ(of_looking.news, 0);
  EXPECT_EQ(answer(loop, *reading), "");
}

TEST_F(FileProbe, says_why_it_is_not_told) {
  const auto probe = std::move(*make_file(watches, spec("/proc/no-such-thing")));
  probe->tell(this);
  EXPECT_NE(answer(loop, *probe), "");
  EXPECT_FALSE(probe->is_told());
  EXPECT_EQ(probe->polling(), "looked for again and again (changes on proc are not told)");
}

}  // namespace
}  // namespace belfry::probes
