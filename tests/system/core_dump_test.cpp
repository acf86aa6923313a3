// Where a core went, by what core(5) says of the pattern.
#include "system/core_dump.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace belfry::system {
namespace {

constexpr CoreDump segfault{.pid = 4711, .signo = SIGSEGV, .dumped = true, .working_dir = "/srv/db"};

TEST(CoreDump, a_helper_is_named_and_how_to_ask_it) {
  EXPECT_EQ(where_the_core_is(segfault, "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h\n", false),
            "the core was handed to /usr/lib/systemd/systemd-coredump (coredumpctl info 4711)");
  EXPECT_EQ(where_the_core_is(segfault, "|/usr/share/apport/apport -p%p", false),
            "the core was handed to /usr/share/apport/apport");
}

TEST(CoreDump, a_file_is_looked_for_where_the_service_was_started) {
  std::string directory = (std::filesystem::temp_directory_path() / "belfry-core-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  CoreDump dump = segfault;
  dump.working_dir = directory;
  EXPECT_EQ(where_the_core_is(dump, "core\n", true),
            "the core should be " + directory + "/core.4711 (or where it went with chdir)");
  std::ofstream(directory + "/core.4711") << "x";
  EXPECT_EQ(where_the_core_is(dump, "core\n", true), "the core is " + directory + "/core.4711");
  EXPECT_EQ(where_the_core_is(dump, directory + "/core.%p", true), "the core is " + directory + "/core.4711");
  std::filesystem::remove_all(directory);
}

TEST(CoreDump, a_name_that_only_the_kernel_knows_is_not_guessed) {
  const std::string words = where_the_core_is(segfault, "/var/crash/core.%e.%t", false);
  EXPECT_EQ(words.find("the core is /var/crash/core.%e.%t, where"), 0U) << words;
}

TEST(CoreDump, why_there_is_none_is_said_where_it_is_known) {
  CoreDump none = segfault;
  none.dumped = false;
  EXPECT_EQ(where_the_core_is(none, "core", false), "");
  none.may_dump = false;
  EXPECT_EQ(where_the_core_is(none, "core", false),
            "no core dump, its limit is 0 (`rlimits: {core: unlimited}` asks for one)");
  none.signo = SIGTERM;
  EXPECT_EQ(where_the_core_is(none, "core", false), "") << "nobody expects one";
}

}  // namespace
}  // namespace belfry::system
