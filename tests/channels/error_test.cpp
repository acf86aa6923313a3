#include "channels/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace belfry {
namespace {

TEST(Error, text_is_the_whole_chain) {
  Error inner = Error::from_errno(ENOENT, "cannot open /x");
  Error outer = inner.wrap("cannot load the file").wrap("cannot start");
  EXPECT_EQ(outer.text(), "cannot start: cannot load the file: cannot open /x: No such file or directory");
  EXPECT_EQ(outer.kind(), Error::Kind::system);
  EXPECT_EQ(outer.errnum(), ENOENT);
  EXPECT_EQ(outer.because()->message(), "cannot load the file");
}

TEST(Error, is_one_pointer_wide_and_copies_share) {
  Error a(Error::Kind::refused, "full");
  Error b = a;
  EXPECT_EQ(sizeof(Error), sizeof(void*));
  EXPECT_EQ(&a.message(), &b.message());
  a = Error::cancelled();
  EXPECT_EQ(b.message(), "full");
}

TEST(Error, an_empty_one_says_nothing) {
  Error none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.text(), "");
  EXPECT_EQ(none.because(), nullptr);
  const Error copy(none);  // NOLINT(performance-unnecessary-copy-initialization): copying is what is tested
  EXPECT_FALSE(copy);
}

TEST(Error, the_common_ones_have_their_kinds) {
  EXPECT_EQ(Error::cancelled().kind(), Error::Kind::cancelled);
  EXPECT_EQ(Error::cancelled("stop").message(), "stop");
  EXPECT_EQ(Error::deadline_exceeded().kind(), Error::Kind::deadline_exceeded);
  EXPECT_EQ(Error::closed().kind(), Error::Kind::closed);
  EXPECT_EQ(to_string(Error::Kind::deadline_exceeded), "deadline_exceeded");
}

TEST(Error, moved_from_is_empty) {
  Error a(Error::Kind::failed, "x");
  Error b = std::move(a);
  EXPECT_EQ(b.message(), "x");
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
}

}  // namespace
}  // namespace belfry
