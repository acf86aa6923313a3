#include "system/account_files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "system/identity.hpp"

namespace belfry::system {
namespace {

class AccountFilesTest : public testing::Test {
 protected:
  AccountFilesTest() {
    char name[] = "/tmp/belfry-accounts-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~AccountFilesTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& passwd, const std::string& group) const {
    std::ofstream(passwd_file()) << passwd;
    std::ofstream(group_file()) << group;
  }
  [[nodiscard]] std::string passwd_file() const { return folder_ + "/passwd"; }
  [[nodiscard]] std::string group_file() const { return folder_ + "/group"; }
  [[nodiscard]] AccountFiles files() const { return AccountFiles(passwd_file(), group_file()); }

  std::string folder_;
};

TEST_F(AccountFilesTest, a_user_is_found_by_name_and_by_number) {
  write("root:x:0:0:root:/root:/bin/bash\npostgres:x:101:103:PostgreSQL,,,:/var/lib/pg:/bin/sh", "");
  const auto by_name = files().user_of("postgres");
  const auto by_number = files().user_of(uid_t{101});
  for (const auto& found : {by_name, by_number}) {
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->uid, 101U);
    EXPECT_EQ((*found)->gid, 103U);
    EXPECT_EQ((*found)->name, "postgres");
    EXPECT_EQ((*found)->home, "/var/lib/pg");
    EXPECT_EQ((*found)->shell, "/bin/sh");
  }
}

TEST_F(AccountFilesTest, who_has_no_entry_is_nobody_and_no_error) {
  write("root:x:0:0:root:/root:/bin/bash\n", "root:x:0:\n");
  EXPECT_EQ(files().user_of("roo").value(), std::nullopt);
  EXPECT_EQ(files().user_of("").value(), std::nullopt);
  EXPECT_EQ(files().user_of(uid_t{7}).value(), std::nullopt);
  EXPECT_EQ(files().group_of("wheel").value(), std::nullopt);
}

TEST_F(AccountFilesTest, missing_files_have_no_entries) {
  EXPECT_EQ(files().user_of("root").value(), std::nullopt);
  EXPECT_EQ(files().group_of("root").value(), std::nullopt);
  EXPECT_EQ(files().groups_of("root", 5), std::vector<gid_t>{5});
}

TEST_F(AccountFilesTest, the_first_of_two_entries_wins) {
  write("a:x:1:1::/one:\na:x:2:2::/two:\nb:x:1:3::/three:\n", "g:x:4:\ng:x:5:\n");
  EXPECT_EQ((*files().user_of("a"))->uid, 1U);
  EXPECT_EQ((*files().user_of(uid_t{1}))->name, "a");
  EXPECT_EQ(files().group_of("g").value(), 4U);
}

TEST_F(AccountFilesTest, lines_that_are_no_entries_are_passed_over) {
  write(
      "\n# a comment:x:1:1::/:\n+nis::::::\n-no:x:9:9::/:\n:x:1:1::/:\nshort\nword:x:one:1::/:\n"
      "minus:x:-1:1::/:\nmost:x:4294967295:1::/:\nlast:x:3:3",
      "+\nbad:x:many:a\nnone\n:x:1:a\ngood:x:8:a\n");
  for (const char* name : {"# a comment", "+nis", "-no", "", "short", "word", "minus", "most"})
    EXPECT_EQ(files().user_of(name).value(), std::nullopt) << name;
  EXPECT_EQ((*files().user_of("last"))->home, "");
  EXPECT_EQ(files().groups_of("a", 1), (std::vector<gid_t>{1, 8}));
}

TEST_F(AccountFilesTest, groups_are_the_own_one_and_each_that_names_the_user_once) {
  write("",
        "own:x:7:\nmany:x:1:b,a,c\nfirst:x:2:a\nagain:x:2:a\nothers:x:3:aa,b\nlast:x:4:c,a\nempty:x:5:,"
        "\nown2:x:7:a\n");
  EXPECT_EQ(files().groups_of("a", 7), (std::vector<gid_t>{7, 1, 2, 4}));
}

TEST_F(AccountFilesTest, what_is_no_regular_file_is_an_error_and_does_not_block) {
  ASSERT_EQ(::mkfifo(passwd_file().c_str(), 0600), 0);
  EXPECT_EQ(files().user_of("root").error(), EINVAL);
}

TEST_F(AccountFilesTest, garbage_and_files_without_end_are_bounded) {
  write(std::string(1U << 20, ':'), std::string(1U << 20, '\0'));
  EXPECT_EQ(files().user_of("root").value(), std::nullopt);
  EXPECT_EQ(files().group_of("root").value(), std::nullopt);
  ASSERT_EQ(::truncate(passwd_file().c_str(), off_t{1} << 33), 0);
  EXPECT_EQ(files().user_of("root").error(), EINVAL);
}

TEST(AccountFiles, of_this_machine_agree_with_nss) {
  for (const char* name : {"root", "daemon", "nobody"}) {
    const auto own = AccountFiles().user_of(name);
    const auto nss = find_identity(name);
    ASSERT_TRUE(own && *own && nss) << name;
    EXPECT_EQ((*own)->uid, nss->uid);
    EXPECT_EQ((*own)->gid, nss->gid);
    EXPECT_EQ((*own)->home, nss->home);
    EXPECT_EQ((*own)->shell, nss->shell);
    EXPECT_EQ(AccountFiles().groups_of(name, (*own)->gid), nss->groups);
  }
}

}  // namespace
}  // namespace belfry::system
