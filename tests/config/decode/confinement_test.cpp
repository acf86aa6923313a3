// What a service is allowed and given: capabilities, CPUs, directories, a sandbox, credentials, environment.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "config/decode/decode.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << static_cast<unsigned>(capability); }

ServiceExtras extras(const std::string& keys) { return std::move(*with_keys(keys).services[0].extras); }
std::string complaint(const std::string& keys) {
  return text_of(loaded("services: {x: {command: sleep 1, " + keys + "}}").diagnostics);
}

TEST(DecodeConfinement, capabilities_are_named_as_in_compose_and_as_in_systemd) {
  for (const char* keys : {"capabilities: {drop: [NET_RAW]}", "capabilities: {drop: CAP_NET_RAW}",
                           "capabilities: {drop: cap_net_raw}"})
    EXPECT_EQ(extras(keys).capabilities->dropped, bit(CAP_NET_RAW)) << keys;
}

TEST(DecodeConfinement, all_are_dropped_but_those_that_are_ambient) {
  const Capabilities both = *extras("capabilities: {drop: all, ambient: [NET_BIND_SERVICE]}").capabilities;
  EXPECT_EQ(both.dropped, ~bit(CAP_NET_BIND_SERVICE));
  EXPECT_EQ(both.ambient, bit(CAP_NET_BIND_SERVICE));
}

TEST(DecodeConfinement, a_bounding_set_is_what_is_left) {
  EXPECT_EQ(extras("capabilities: {bounding: [CHOWN, KILL]}").capabilities->dropped,
            ~(bit(CAP_CHOWN) | bit(CAP_KILL)));
}

TEST(DecodeConfinement, capabilities_that_contradict_each_other_are_refused) {
  EXPECT_NE(complaint("capabilities: {drop: [KILL], ambient: [KILL]}")
                .find("CAP_KILL is both in `drop` and in `ambient`"),
            std::string::npos);
  EXPECT_NE(complaint("capabilities: {bounding: [KILL], ambient: [CHOWN]}")
                .find("CAP_CHOWN is in `ambient`, but not in `bounding`"),
            std::string::npos);
  EXPECT_NE(complaint("capabilities: {ambient: all}").find("unknown capability `all`"), std::string::npos);
  EXPECT_NE(complaint("capabilities: {drop: [NET_RAV]}").find("did you mean `NET_RAW`"), std::string::npos)
      << complaint("capabilities: {drop: [NET_RAV]}");
}

TEST(DecodeConfinement, cpus_are_numbers_and_ranges) {
  using Cpus = std::vector<std::uint16_t>;
  EXPECT_EQ(extras("cpu_affinity: 3").cpu_affinity, (Cpus{3}));
  EXPECT_EQ(extras("cpu_affinity: [0, 2-4]").cpu_affinity, (Cpus{0, 2, 3, 4}));
  EXPECT_EQ(extras("cpu_affinity: '0-1, 8'").cpu_affinity, (Cpus{0, 1, 8}));
  for (const char* bad : {"1024", "3-1", "a", "'1-'", "'-1'", "1.5", "'1,,2'"})
    EXPECT_NE(complaint("cpu_affinity: " + std::string(bad)).find("is not a CPU, nor a range"),
              std::string::npos)
        << bad;
}

TEST(DecodeConfinement, a_priority_at_the_disk_has_a_class_and_a_level) {
  EXPECT_EQ(extras("io_priority: idle").io_priority->of, IoClass::idle);
  const IoPriority priority = *extras("io_priority: {class: realtime, level: 0}").io_priority;
  EXPECT_EQ(priority.of, IoClass::realtime);
  EXPECT_EQ(priority.level, 0);
  EXPECT_EQ(extras("io_priority: best-effort").io_priority->level, 4);
  EXPECT_NE(complaint("io_priority: {class: idle, level: 3}").find("has no levels"), std::string::npos);
}

TEST(DecodeConfinement, directories_have_a_name_and_a_mode) {
  const ServiceExtras read =
      extras("runtime_directory: app, state_directory: [a, {name: b/c, mode: '0700'}]");
  EXPECT_EQ(read.runtime_directories.at(0).name, "app");
  EXPECT_EQ(read.runtime_directories.at(0).mode, 0755U);
  EXPECT_EQ(read.state_directories.at(1).name, "b/c");
  EXPECT_EQ(read.state_directories.at(1).mode, 0700U);
}

TEST(DecodeConfinement, a_directory_cannot_lie_anywhere_else) {
  for (const char* bad : {"/app", "..", "../app", "a/../b", "a//b", "a/", ".", "a/.", "'a:b'"})
    EXPECT_NE(complaint("runtime_directory: " + std::string(bad)).find("cannot be the name of a directory"),
              std::string::npos)
        << bad << complaint("runtime_directory: " + std::string(bad));
}

TEST(DecodeConfinement, a_sandbox_is_what_it_is_asked_to_be) {
  const Sandbox sandbox = *extras(
                               "sandbox: {read_only_root: true, private_tmp: true, private_network: true, "
                               "protect_home: true, required: true, writable: [/srv/data, cache]}")
                               .sandbox;
  EXPECT_TRUE(sandbox.read_only_root && sandbox.private_tmp && sandbox.private_network &&
              sandbox.protect_home && sandbox.required);
  EXPECT_EQ(sandbox.writable, (std::vector<std::string>{"/srv/data", "/nowhere/cache"}));
  EXPECT_FALSE(extras("nice: 1, sandbox: {private_tmp: false}").sandbox);
  EXPECT_NE(complaint("sandbox: {writable: [/srv]}").find("add read_only_root: true"), std::string::npos);
  EXPECT_NE(complaint("sandbox: {read_only_root: true, writable: [/]}").find("places below /"),
            std::string::npos);
}

TEST(DecodeConfinement, an_environment_is_inherited_in_part_or_not_at_all) {
  EXPECT_EQ(*extras("environment_from: [PATH, LANG]").environment_from,
            (std::vector<std::string>{"PATH", "LANG"}));
  EXPECT_TRUE(extras("environment_from: []").environment_from->empty());
  EXPECT_FALSE(extras("nice: 1").environment_from);
  EXPECT_NE(complaint("environment_from: ['A=B']").find("cannot name a variable"), std::string::npos);
}

TEST(DecodeConfinement, credentials_are_read_from_files_and_never_shown) {
  const Directory dir;
  dir.write("pg", std::string("open\0sesame\n", 12));
  const Loaded result = load(
      {dir.write("belfry.yaml",
                 "services: {x: {command: a, credentials: {pg: pg, copy: {file: pg}, gone: not-there}}}")});
  const std::string said = text_of(result.diagnostics);
  EXPECT_NE(said.find("cannot read the credential"), std::string::npos) << said;
  EXPECT_NE(said.find("gone: not-there"), std::string::npos) << "a path is no secret: " << said;
  EXPECT_EQ(said.find("sesame"), std::string::npos) << said;
  const auto& read = result.stack.services[0].extras->credentials;
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].name, "pg");
  EXPECT_EQ(read[0].value, std::string("open\0sesame\n", 12)) << "byte by byte, its last line too";
  EXPECT_EQ(read[1].value, read[0].value);
}

TEST(DecodeConfinement, credentials_are_a_mebibyte_together_at_most) {
  const Directory dir;
  dir.write("half", std::string(600U << 10U, 'x'));
  const Loaded result =
      load({dir.write("belfry.yaml", "services: {x: {command: a, credentials: {a: half, b: half}}}")});
  EXPECT_NE(text_of(result.diagnostics).find("1 MiB together at most"), std::string::npos);
  for (const char* bad :
       {"credentials: {a/b: half}", "credentials: {'..': half}", "credentials: {a: {value: x}}"})
    EXPECT_TRUE(load({dir.write("belfry.yaml", "services: {x: {command: a, " + std::string(bad) + "}}")})
                    .diagnostics.has_errors())
        << bad;
}

}  // namespace
}  // namespace belfry::config
