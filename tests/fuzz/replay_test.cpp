// Every target over every seed and everything that was ever found, in a build without libFuzzer.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config_targets.hpp"

namespace belfry::fuzz {
namespace {

namespace fs = std::filesystem;

void replay(const fs::path& directory) {
  ASSERT_TRUE(fs::is_directory(directory)) << directory;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    SCOPED_TRACE(entry.path());
    for (const Target& target : targets) target.run(bytes);
  }
}

TEST(Fuzz, regressions_stay_fixed) { replay(fs::path(BELFRY_SOURCE_DIR) / "tests/fuzz/regressions"); }
TEST(Fuzz, notify_messages_pass_every_target) { replay(fs::path(BELFRY_SOURCE_DIR) / "tests/fuzz/notify"); }
TEST(Fuzz, what_databases_say_passes_every_target) {
  replay(fs::path(BELFRY_SOURCE_DIR) / "tests/fuzz/databases");
}
TEST(Fuzz, answers_of_servers_pass_every_target) { replay(fs::path(BELFRY_SOURCE_DIR) / "tests/fuzz/wires"); }
TEST(Fuzz, what_clients_send_passes_every_target) {
  replay(fs::path(BELFRY_SOURCE_DIR) / "tests/fuzz/clients");
}
TEST(Fuzz, histories_pass_every_target) { replay(fs::path(BELFRY_SOURCE_DIR) / "tests/fuzz/histories"); }
TEST(Fuzz, bad_files_pass_every_target) { replay(fs::path(BELFRY_SOURCE_DIR) / "tests/config/bad"); }
TEST(Fuzz, examples_pass_every_target) { replay(fs::path(BELFRY_SOURCE_DIR) / "config/examples"); }
TEST(Fuzz, imports_pass_every_target) {
  const fs::path imports = fs::path(BELFRY_SOURCE_DIR) / "tests/config/import";
  replay(imports);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(imports))
    if (entry.is_directory()) replay(entry.path());
}
TEST(Fuzz, unit_files_pass_every_target) { replay(fs::path(BELFRY_SOURCE_DIR) / "tests/fuzz/units"); }

}  // namespace
}  // namespace belfry::fuzz
