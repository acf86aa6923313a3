// Linked into a test program, takes the census at the end of each of its tests: no coroutine that the test
// has made is left, started or not, whatever loop it belonged to.
#include <gtest/gtest.h>

#include "channels/detail/frame_pool.hpp"

namespace belfry::test {
namespace {

class Census final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { before_ = detail::living_frames(); }
  void OnTestEnd(const testing::TestInfo& test) override {
    EXPECT_EQ(detail::living_frames(), before_)
        << "coroutines are left at the end of " << test.test_suite_name() << "." << test.name();
  }

  std::size_t before_ = 0;
};

// The runner owns it.
const bool is_listening = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new Census);
  return true;
}();

}  // namespace
}  // namespace belfry::test
