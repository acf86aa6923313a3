#include "system/gzip.hpp"

#include <gtest/gtest.h>

#include <string>

namespace belfry::system {
namespace {

TEST(Gzip, what_was_compressed_comes_back) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{1000}, std::size_t{65536}, std::size_t{1'000'000}}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i * i % 26);
    EXPECT_EQ(gunzip(gzip(text)), text) << size;
  }
}

TEST(Gzip, what_was_not_is_nothing) {
  const std::string packed = gzip("a text that is long enough to be cut in the middle of it");
  EXPECT_EQ(gunzip(""), "");
  EXPECT_EQ(gunzip("a text"), "");
  EXPECT_EQ(gunzip(packed.substr(0, packed.size() / 2)), "");
  std::string damaged = packed;
  damaged[damaged.size() - 6] ^= 1;  // in its checksum (RFC 1952, 2.3.1)
  EXPECT_EQ(gunzip(damaged), "");
}

}  // namespace
}  // namespace belfry::system
