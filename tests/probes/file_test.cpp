// The smallest probe, and the smallest test of one.
#include <gtest/gtest.h>

#include "probes/kinds.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using test::answer;

config::Probe spec(std::string path) {
  config::Probe probe;
  probe.kind = config::Probe::Kind::file;
  probe.target = std::move(path);
  return probe;
}

TEST(FileProbe, is_true_when_the_path_exists) {
  Loop loop;
  EXPECT_EQ(answer(loop, **make_file(spec("/etc/passwd"))), "");
}

TEST(FileProbe, says_what_it_cannot_find) {
  Loop loop;
  EXPECT_EQ(answer(loop, **make_file(spec("/no/such/file"))),
            "cannot find /no/such/file: No such file or directory");
}

TEST(FileProbe, is_refused_without_a_path) { EXPECT_FALSE(make_file({})); }

}  // namespace
}  // namespace belfry::probes
