#include "daemon/http/wire/accept.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon::http {
namespace {

TEST(Accept, what_is_not_listed_has_no_weight) {
  EXPECT_EQ(quality_of("gzip", ""), 0);
  EXPECT_EQ(quality_of("gzip", "br, deflate"), 0);
  EXPECT_EQ(quality_of("gzip", "gzipped"), 0);
  EXPECT_EQ(quality_of("text/plain", "*/*"), 0);
}

TEST(Accept, what_is_listed_without_a_weight_has_all_of_it) {
  EXPECT_EQ(quality_of("gzip", "gzip"), 1);
  EXPECT_EQ(quality_of("gzip", "deflate ,\tGZip"), 1);
  EXPECT_EQ(quality_of("text/plain", "text/plain;version=0.0.4"), 1);
}

TEST(Accept, a_weight_counts_and_nought_refuses) {
  EXPECT_EQ(quality_of("gzip", "br, gzip;q=0.5"), 0.5);
  EXPECT_EQ(quality_of("gzip", "gzip; q=0"), 0);
  EXPECT_EQ(quality_of("gzip", "gzip;q=7"), 1);
  EXPECT_EQ(quality_of("text/plain", "text/html, text/plain;version=0.0.4;q=0.25,*/*;q=0.1"), 0.25);
}

TEST(Accept, a_weight_that_cannot_be_read_refuses) {
  for (const char* header : {"gzip;q=", "gzip;q=x", "gzip;q=0.5x", "gzip;q=-"})
    EXPECT_EQ(quality_of("gzip", header), 0);
}

TEST(Accept, of_two_mentions_the_heavier_one_counts) {
  EXPECT_EQ(quality_of("application/openmetrics-text",
                       "application/openmetrics-text;version=0.0.1;q=0.4,application/"
                       "openmetrics-text;version=1.0.0;q=0.6"),
            0.6);
}

TEST(Accept, separators_alone_are_nothing) { EXPECT_EQ(quality_of("gzip", ",;, ;,;"), 0); }

}  // namespace
}  // namespace belfry::daemon::http
