// What stands in etcd: written, read back, and refused where somebody else has written it.
#include "daemon/cluster/publication.hpp"

#include <gtest/gtest.h>

#include "daemon/cluster/keys.hpp"

namespace belfry::daemon::cluster {
namespace {

TEST(Publication, is_read_as_it_was_written) {
  const Publication one{.boot_id = "b",
                        .incarnation = 7,
                        .since_ms = 1796083336695,
                        .outputs = {{"ADDRESS", "10.0.0.1:9092"}, {"NOTE", "\"quoted\"\\"}},
                        .words = {}};
  const auto read = read_publication(written(one));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, one);
}

TEST(Publication, of_what_is_not_ready_carries_why) {
  const Publication one{.boot_id = "b",
                        .incarnation = 0,
                        .since_ms = 1,
                        .outputs = {},
                        .words = "is failed: exited with code 3"};
  EXPECT_EQ(*read_publication(written(one)), one);
}

TEST(Publication, of_somebody_else_is_refused) {
  for (const char* text : {"", "kafka", "[]", "{}", R"({"boot_id":5})", R"({"boot_id":"b","outputs":[]})",
                           R"({"boot_id":"b","outputs":{"a b":"x"}})", R"({"boot_id":"b","outputs":{"A":5}})",
                           R"({"boot_id":"b","outputs":{"A":{"B":{"C":{"D":{}}}}}})"})
    EXPECT_FALSE(read_publication(text)) << text;
  EXPECT_FALSE(read_publication("{\"boot_id\":\"" + std::string(longest_publication, 'x') + "\"}"));
  std::string many = R"({"boot_id":"b","outputs":{"A0":"x")";
  for (int i = 1; i < 100; ++i) many += ",\"A" + std::to_string(i) + "\":\"x\"";
  EXPECT_FALSE(read_publication(many + "}}"));
}

TEST(Keys, are_parsed_as_they_are_made) {
  const Keys keys("shop");
  const std::string key = keys.of_host(KeyKind::words, "kafka.eu", "a-1.example");
  EXPECT_EQ(key, "belfry/shop/w/kafka.eu/h/a-1.example");
  const auto parts = keys.parse(key);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->kind, KeyKind::words);
  EXPECT_EQ(parts->service, "kafka.eu");
  EXPECT_EQ(parts->host, "a-1.example");
}

TEST(Keys, of_somebody_else_are_none) {
  const Keys keys("shop");
  for (const char* key : {"", "belfry/shop", "belfry/shop/", "belfry/shop/s/", "belfry/shop/s/kafka",
                          "belfry/shop/s//h/a", "belfry/shop/x/kafka/h/a", "belfry/shop/s/kafka/h/",
                          "belfry/shop/s/kafka/h/a/b", "belfry/shop/s/kafka/g/a", "belfry/shoe/s/kafka/h/a"})
    EXPECT_FALSE(keys.parse(key)) << key;
}

}  // namespace
}  // namespace belfry::daemon::cluster
