#include "daemon/http/wire/request_target.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon::http {
namespace {

TEST(RequestTarget, path_and_query_are_parted_at_the_first_question_mark) {
  const auto target = split_target("/readyz?exclude=a?b&verbose");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/readyz");
  EXPECT_EQ(target->query, "exclude=a?b&verbose");
}

TEST(RequestTarget, the_absolute_form_loses_its_authority) {
  EXPECT_EQ(split_target("http://localhost:9600/livez?x=1")->path, "/livez");
  EXPECT_EQ(split_target("http://localhost:9600")->path, "/");
}

TEST(RequestTarget, other_forms_are_refused) {
  EXPECT_FALSE(split_target("*"));
  EXPECT_FALSE(split_target("livez"));
  EXPECT_FALSE(split_target(""));
  EXPECT_FALSE(split_target("http://host?x"));
}

TEST(RequestTarget, malformed_escapes_are_refused_and_so_is_nul) {
  EXPECT_EQ(percent_decode("a%2Fb%C3%A9"), "a/b\xC3\xA9");
  for (const char* text : {"%", "%2", "%zz", "a%0", "%00"}) EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(RequestTarget, parameters_come_in_their_order_and_decoded) {
  QueryReader reader("service=a&&service=b+c&verbose&x=1=2");
  Parameter parameter;
  ASSERT_TRUE(reader.next(parameter));
  EXPECT_EQ(parameter.name + "|" + parameter.value, "service|a");
  ASSERT_TRUE(reader.next(parameter));
  EXPECT_EQ(parameter.value, "b c");
  ASSERT_TRUE(reader.next(parameter));
  EXPECT_EQ(parameter.name + "|" + parameter.value, "verbose|");
  ASSERT_TRUE(reader.next(parameter));
  EXPECT_EQ(parameter.value, "1=2");
  EXPECT_FALSE(reader.next(parameter));
  EXPECT_FALSE(reader.malformed());
}

TEST(RequestTarget, a_malformed_parameter_ends_the_walk) {
  QueryReader reader("a=%&b=1");
  Parameter parameter;
  EXPECT_FALSE(reader.next(parameter));
  EXPECT_TRUE(reader.malformed());
}

}  // namespace
}  // namespace belfry::daemon::http
