#include "waiter/target.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

namespace belfry::waiter {
namespace {

using Kind = config::Probe::Kind;
using testing::HasSubstr;
using testing::Not;

struct Row {
  std::string_view text;
  Kind kind;
  std::string_view target;
  bool tls = false;
  std::string_view server = {};
};

TEST(Target, each_scheme_becomes_a_probe) {
  const Row rows[] = {
      {"db:5432", Kind::tcp, "db:5432"},
      {"[::1]:5432", Kind::tcp, "[::1]:5432"},
      {"tcp://db:5432", Kind::tcp, "db:5432"},
      {"TCP://db:5432", Kind::tcp, "db:5432"},
      {"tcp://[::1]:80", Kind::tcp, "[::1]:80"},
      {"tls://db", Kind::tcp, "db:443", true},
      {"http://db/health?x=1", Kind::http, "http://db/health?x=1"},
      {"HTTPS://db:8443/", Kind::http, "https://db:8443/", true},
      {"http+unix://%2Frun%2Fa.sock/health", Kind::http, "http+unix://%2Frun%2Fa.sock/health"},
      {"unix:run/a.sock", Kind::unix_socket, "/here/run/a.sock"},
      {"unix:///run/a.sock", Kind::unix_socket, "/run/a.sock"},
      {"unix:@name", Kind::unix_socket, "@name"},
      {"file:ready", Kind::file, "/here/ready"},
      {"file:/a b", Kind::file, "/a b"},
      {"file:///run/ready", Kind::file, "/run/ready"},
      {"file://localhost/run/ready", Kind::file, "/run/ready"},
      {"dns:db.internal", Kind::dns, "db.internal"},
      {"dns://10.0.0.1/db.internal", Kind::dns, "db.internal", false, "10.0.0.1:53"},
      {"dns://[::1]:5353/db.internal", Kind::dns, "db.internal", false, "[::1]:5353"},
      {"dns:///db.internal", Kind::dns, "db.internal"},
      {"postgres://app@db/shop", Kind::postgres, "postgres://app@db/shop"},
      {"postgresql:///shop?host=/run", Kind::postgres, "postgresql:///shop?host=/run"},
      {"mysql://db/shop", Kind::mysql, "mysql://db/shop"},
      {"redis://db", Kind::redis, "redis://db"},
      {"rediss://:pw@db", Kind::redis, "rediss://:pw@db", true},
      {"amqp://guest:guest@mq/vhost", Kind::amqp, "mq:5672"},
      {"amqps://mq", Kind::amqp, "mq:5671", true},
      {"memcached://cache", Kind::memcached, "cache:11211"},
      {"grpc://a:9000/pkg.Service", Kind::grpc, "a:9000/pkg.Service"},
      {"grpcs://a", Kind::grpc, "a:443", true},
  };
  for (const Row& row : rows) {
    const auto target = parse_target(row.text, "/here", {});
    ASSERT_TRUE(target) << target.error().text();
    EXPECT_EQ(target->probe.kind, row.kind) << row.text;
    EXPECT_EQ(target->probe.target, row.target) << row.text;
    EXPECT_EQ(target->probe.tls != nullptr, row.tls) << row.text;
    EXPECT_EQ(*target->probe.server, row.server) << row.text;
  }
}

TEST(Target, what_is_none_is_refused_with_a_reason) {
  for (const std::string_view text : {"",
                                      " ",
                                      "db: 80",
                                      "db:",
                                      ":80",
                                      "db:0",
                                      "db:65536",
                                      "::1:80",
                                      "mongodb://db",
                                      "tcp://db",
                                      "tcp://:80",
                                      "tcp://db:80/x",
                                      "tls://",
                                      "http://",
                                      "http://db:x/",
                                      "http+unix://run/x",
                                      "file:",
                                      "file://host/x",
                                      "unix:",
                                      "dns:",
                                      "dns://server",
                                      "dns:a b",
                                      "dns:a/b/c",
                                      "grpc://a",
                                      "/run/x",
                                      "./x",
                                      "a/b",
                                      "x?y",
                                      "tcp://d b:1",
                                      "-"}) {
    const auto target = parse_target(text, "/here", {});
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().kind(), Error::Kind::invalid);
    EXPECT_THAT(target.error().text(), testing::StartsWith("cannot wait for "));
  }
}

TEST(Target, a_password_is_in_no_message_and_in_no_name) {
  for (const std::string_view text :
       {"mongodb://me:sesame@db", "http://me:sesame@db:x/", "tcp://me:sesame@db", "grpc://me:sesame@db"}) {
    const auto target = parse_target(text, "/", {});
    ASSERT_FALSE(target);
    EXPECT_THAT(target.error().text(), Not(HasSubstr("sesame")));
  }
  EXPECT_THAT(parse_target("postgres://me:sesame@db/x", "/", {})->shown, Not(HasSubstr("sesame")));
}

TEST(Target, a_name_is_a_service) {
  for (const std::string_view name : {"db", "a.b-c_d", "localhost", "5432"}) EXPECT_TRUE(is_service(name));
  for (const std::string_view url : {"db:1", "tcp://db:1", "file:x", "./x", "", "a b"})
    EXPECT_FALSE(is_service(url)) << url;
}

TEST(Target, options_reach_those_whom_they_fit) {
  ProbeOptions options{.http = config::HttpExpectation(), .tls = config::TlsOptions(), .query = "select 1"};
  options.http->method = "HEAD";
  options.tls->verify = false;
  EXPECT_EQ(parse_target("http://db", "/", options)->probe.http->method, "HEAD");
  EXPECT_EQ(parse_target("http://db", "/", options)->probe.tls, nullptr);
  EXPECT_FALSE(parse_target("https://db", "/", options)->probe.tls->verify);
  EXPECT_EQ(*parse_target("mysql://db", "/", options)->probe.query, "select 1");
  const auto plain = parse_target("db:80", "/", options);
  EXPECT_EQ(plain->probe.http, nullptr);
  EXPECT_EQ(plain->probe.tls, nullptr);
  EXPECT_EQ(*plain->probe.query, "");
}

}  // namespace
}  // namespace belfry::waiter
