#include "system/path_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "channels/loop.hpp"

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

struct PathWatchTest : testing::Test, PathListener {
  PathWatchTest() {
    std::string made = testing::TempDir() + "belfry-path-XXXXXX";
    base = ::mkdtemp(made.data());
  }
  ~PathWatchTest() override { fs::remove_all(base); }
  void on_path_changed() override { ++told; }

  std::string at(const std::string& name) const { return base + "/" + name; }
  void touch(const std::string& name) const { std::ofstream{at(name)}; }
  // Whether what `change` does is told; afterwards the path is watched as it is then.
  bool tells(PathWatch& watch, const std::function<void()>& change) {
    read();
    told = 0;
    change();
    read();
    EXPECT_TRUE(watch.renew());
    return told > 0;
  }
  void read() {
    for (int i = 0; i < 5; ++i) loop.run_until_idle();
  }

  Loop loop;
  PathWatches all{loop};
  std::string base;
  int told = 0;
};

TEST_F(PathWatchTest, a_file_is_told_when_it_comes_and_when_it_goes) {
  PathWatch watch(all, at("ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  EXPECT_TRUE(tells(watch, [&] { touch("ready"); }));
  EXPECT_TRUE(tells(watch, [&] { fs::remove(at("ready")); }));
  EXPECT_TRUE(tells(watch, [&] { fs::create_symlink("nowhere", at("ready")); }));
}

TEST_F(PathWatchTest, directories_that_do_not_exist_yet_are_followed_as_they_come) {
  PathWatch watch(all, at("a/b/c/ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  EXPECT_TRUE(tells(watch, [&] { fs::create_directory(at("a")); }));
  EXPECT_TRUE(tells(watch, [&] { fs::create_directories(at("a/b/c")); }));
  EXPECT_TRUE(tells(watch, [&] { touch("a/b/c/ready"); }));
}

TEST_F(PathWatchTest, what_is_made_all_at_once_is_seen_with_the_first_of_it) {
  PathWatch watch(all, at("a/b/ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  fs::create_directories(at("a/b"));
  touch("a/b/ready");
  read();
  EXPECT_GT(told, 0);  // and whoever looks then finds it
}

TEST_F(PathWatchTest, an_ancestor_that_is_renamed_removed_or_made_anew_is_told) {
  fs::create_directories(at("a/b/c"));
  touch("a/b/c/ready");
  PathWatch watch(all, at("a/b/c/ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  EXPECT_TRUE(tells(watch, [&] { fs::rename(at("a/b"), at("a/x")); }));
  EXPECT_TRUE(tells(watch, [&] { fs::rename(at("a/x"), at("a/b")); }));
  EXPECT_TRUE(tells(watch, [&] { fs::remove_all(at("a")); }));
  EXPECT_TRUE(tells(watch, [&] { fs::create_directory(at("a")); }));
}

TEST_F(PathWatchTest, a_directory_that_somebody_still_is_in_counts_as_removed) {
  fs::create_directories(at("a/b"));
  PathWatch watch(all, at("a/b/ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  const int held = ::open(at("a/b").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_TRUE(tells(watch, [&] { fs::remove(at("a/b")); }));
  EXPECT_TRUE(tells(watch, [&] { fs::create_directory(at("a/b")); }));
  EXPECT_TRUE(tells(watch, [&] { touch("a/b/ready"); }));
  ::close(held);
}

TEST_F(PathWatchTest, symbolic_links_on_the_way_are_watched_and_so_is_where_they_lead) {
  fs::create_directories(at("real/one"));
  fs::create_directories(at("real/two"));
  fs::create_directory_symlink("real/../real/one", at("link"));
  PathWatch watch(all, at("link/./ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  EXPECT_TRUE(tells(watch, [&] { touch("real/one/ready"); }));
  EXPECT_TRUE(tells(watch, [&] {
    fs::create_directory_symlink(at("real/two"), at("new"));
    fs::rename(at("new"), at("link"));
  }));
  EXPECT_FALSE(tells(watch, [&] { fs::remove(at("real/one/ready")); })) << "it leads there no more";
  EXPECT_TRUE(tells(watch, [&] { touch("real/two/ready"); }));
  EXPECT_TRUE(tells(watch, [&] { fs::rename(at("real"), at("unreal")); }));
}

TEST_F(PathWatchTest, a_circle_of_links_leads_nowhere_until_it_is_opened) {
  fs::create_symlink("two", at("one"));
  fs::create_symlink("one", at("two"));
  PathWatch watch(all, at("one"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  EXPECT_TRUE(tells(watch, [&] {
    fs::remove(at("two"));
    touch("two");
  }));
}

TEST_F(PathWatchTest, what_others_do_beside_the_path_is_not_told) {
  fs::create_directory(at("a"));
  PathWatch watch(all, at("a/ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  EXPECT_FALSE(tells(watch, [&] {
    touch("a/other");
    touch("ready");
    fs::remove(at("a/other"));
  }));
}

TEST_F(PathWatchTest, what_is_in_a_file_is_told_when_it_matters) {
  touch("f");
  PathWatch contents(all, at("f"), PathDepth::contents, *this);
  ASSERT_TRUE(contents.renew());
  EXPECT_TRUE(tells(contents, [&] { std::ofstream(at("f")) << "text"; }));
  EXPECT_TRUE(tells(contents, [&] {
    std::ofstream(at("g")) << "other";
    fs::rename(at("g"), at("f"));
  }));
  EXPECT_TRUE(tells(contents, [&] { std::ofstream(at("f")) << "text"; }));
}

TEST_F(PathWatchTest, a_right_that_comes_back_is_told) {
  fs::create_directory(at("a"));
  PathWatch watch(all, at("a/ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  EXPECT_TRUE(tells(watch, [&] { ::chmod(at("a").c_str(), 0); }));
  EXPECT_TRUE(tells(watch, [&] { ::chmod(at("a").c_str(), 0700); }));
}

TEST_F(PathWatchTest, two_watches_of_one_directory_do_not_take_each_other_away) {
  PathWatch kept(all, at("kept"), PathDepth::existence, *this);
  ASSERT_TRUE(kept.renew());
  {
    PathWatch other(all, at("other"), PathDepth::existence, *this);
    ASSERT_TRUE(other.renew());
  }
  EXPECT_TRUE(tells(kept, [&] { touch("kept"); }));
}

TEST_F(PathWatchTest, lost_events_count_as_a_change_of_every_path) {
  PathWatch watch(all, at("ready"), PathDepth::existence, *this);
  ASSERT_TRUE(watch.renew());
  std::string most;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  for (int i = 0; i < std::stoi(most) / 2 + 10; ++i) {
    touch("other" + std::to_string(i % 2));
    fs::remove(at("other" + std::to_string(i % 2)));
  }
  for (int i = 0; i < 200 && told == 0; ++i) loop.run_until_idle();
  EXPECT_GT(told, 0);
}

TEST_F(PathWatchTest, a_mount_over_the_path_is_told) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can mount";
  fs::create_directory(at("m"));
  const pid_t child = ::fork();
  if (child == 0) {  // in a mount namespace of its own
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      ::_exit(77);
    Loop own;
    PathWatches watches(own);
    told = 0;
    PathWatch watch(watches, at("m/ready"), PathDepth::existence, *this);
    if (!watch.renew()) ::_exit(1);
    own.run_until_idle();
    told = 0;
    if (::mount("none", at("m").c_str(), "tmpfs", 0, nullptr) != 0) ::_exit(77);
    for (int i = 0; i < 5; ++i) own.run_until_idle();
    if (told == 0) ::_exit(2);
    if (!watch.renew()) ::_exit(3);
    told = 0;
    touch("m/ready");
    for (int i = 0; i < 5; ++i) own.run_until_idle();
    if (told == 0) ::_exit(4);
    told = 0;
    ::umount2(at("m").c_str(), MNT_DETACH);
    for (int i = 0; i < 5; ++i) own.run_until_idle();
    ::_exit(told == 0 ? 5 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "this machine lets nobody mount";
  EXPECT_EQ(status, 0);
}

TEST_F(PathWatchTest, without_inotify_it_says_why) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  PathWatch watch(all, at("ready"), PathDepth::existence, *this);
  const Result<void> renewed = watch.renew();
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(renewed);
  EXPECT_EQ(renewed.error().text(),
            "no inotify instance or descriptor is left: raise fs.inotify.max_user_instances");
  EXPECT_TRUE(watch.renew()) << "and it is tried again";
}

TEST_F(PathWatchTest, a_file_system_that_tells_nothing_is_named) {
  PathWatch watch(all, "/proc/self/no-such-thing", PathDepth::existence, *this);
  const Result<void> renewed = watch.renew();
  ASSERT_FALSE(renewed);
  EXPECT_EQ(renewed.error().text(), "changes on proc are not told");
}

}  // namespace
}  // namespace belfry::system
