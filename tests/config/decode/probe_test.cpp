// `ready` and `live`.
#include "config/decode/decode.hpp"

#include <gtest/gtest.h>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

TEST(DecodeProbe, every_kind_is_read) {
  const Stack stack = good(
      "services: {x: {command: a, ready: [notify, {port: 1}, {port: {udp: 2}}, {unix: s}, {fd: 5, dialect: "
      "dinit}, {tcp: 'a:1'}, {grpc: 'a:1/b'}, {postgres: 'host=a'}, {mysql: m}, {redis: 'a:1'}, {exec: [c, "
      "d]}, "
      "{log: 'x.*y'}, {file: f}]}}");
  const auto& probes = stack.services[0].ready.probes;
  ASSERT_EQ(probes.size(), 13U);
  EXPECT_EQ(probes[1].port, 1);
  EXPECT_TRUE(probes[2].udp);
  EXPECT_EQ(probes[3].target, "/nowhere/s");
  EXPECT_EQ(probes[4].dialect, FdDialect::dinit);
  EXPECT_EQ(probes[6].target, "a:1/b");
  EXPECT_EQ(probes[10].command, (Command{"c", "d"}));
  EXPECT_EQ(probes[12].target, "/nowhere/f");
}
TEST(DecodeProbe, tuning_stands_beside_the_kind) {
  const Stack stack = with_keys(
      "ready: {port: 1, timeout: 5s, initial_delay: 1s, period: 2s, attempt_timeout: "
      "3s, success_threshold: 2, failure_threshold: 4, recheck: true}");
  const Probe& probe = stack.services[0].ready.probes[0];
  EXPECT_EQ(probe.timeout, 5s);
  EXPECT_EQ(probe.period, 2s);
  EXPECT_EQ(probe.recheck, 2s);
  EXPECT_EQ(probe.failure_threshold, 4U);
}
TEST(DecodeProbe, an_http_probe_says_what_it_expects) {
  const Stack stack = with_keys(
      "ready: {http: 'https://a/b', method: HEAD, headers: {A: b}, status: [200, 300-302], body: ok, tls: "
      "{verify: false}}");
  const HttpExpectation& http = *stack.services[0].ready.probes[0].http;
  EXPECT_EQ(http.method, "HEAD");
  EXPECT_EQ(http.statuses, (std::vector<std::pair<std::uint16_t, std::uint16_t>>{{200, 200}, {300, 302}}));
  EXPECT_FALSE(stack.services[0].ready.probes[0].tls->verify);
  EXPECT_EQ(with_keys("ready: {http: 'http://a/'}").services[0].ready.probes[0].http, nullptr);
}
TEST(DecodeProbe, a_long_form_says_more_than_the_short_one) {
  const Stack stack = good(
      "services: {x: {command: a, ready: [{port: any}, {log: {regex: up, times: 2}}, {dns: {name: a.b, "
      "server: "
      "'a:53'}}, {dns: a.b}, {amqp: 'a:1'}, {memcached: 'a:1'}, {tcp: 'a:1', tls: true, send: a, expect: b}, "
      "{file: f, socket: true}, {mysql: m, query: q}, {file: g, contains: c}]}}");
  const auto& probes = stack.services[0].ready.probes;
  EXPECT_EQ(probes[0].port, 0);
  EXPECT_EQ(probes[1].target, "up");
  EXPECT_EQ(probes[1].times, 2U);
  EXPECT_EQ(probes[2].target, "a.b");
  EXPECT_EQ(*probes[2].server, "a:53");
  EXPECT_EQ(probes[3].target, "a.b");
  EXPECT_TRUE(probes[6].tls->verify);
  EXPECT_EQ(probes[6].tcp->expect, "b");
  EXPECT_TRUE(probes[7].file->socket);
  EXPECT_EQ(*probes[8].query, "q");
  EXPECT_EQ(probes[9].file->contains, "c");
}
TEST(DecodeProbe, live_says_what_its_failure_does) {
  const Stack stack = good(
      "services: {x: {command: a, live: [{port: 1, on_failure: unready}, {port: 2}, {port: 3, "
      "on_failure: shutdown}]}}");
  const auto& probes = stack.services[0].live->probes;
  EXPECT_EQ(probes[0].on_failure, OnFailure::unready);
  EXPECT_EQ(probes[1].on_failure, OnFailure::restart);
  EXPECT_EQ(probes[2].on_failure, OnFailure::shutdown);
}
TEST(DecodeProbe, files_of_tls_count_from_the_services_directory) {
  const Stack stack = with_keys("ready: {tcp: 'a:1', tls: {ca: ca.pem, cert: /c.pem, server_name: b}}");
  const TlsOptions& tls = *stack.services[0].ready.probes[0].tls;
  EXPECT_EQ(tls.ca, "/nowhere/ca.pem");
  EXPECT_EQ(tls.cert, "/c.pem");
  EXPECT_EQ(tls.server_name, "b");
}
TEST(DecodeProbe, an_http_probe_looks_at_a_place_in_a_json_answer) {
  const Stack stack = with_keys("ready: {http: 'http://a/', json: {pointer: /checks/0/a~1b, equals: 1}}");
  const JsonExpectation& json = *stack.services[0].ready.probes[0].http->json;
  EXPECT_EQ(json.pointer, "/checks/0/a~1b");
  EXPECT_EQ(json.equals, "1");
  EXPECT_EQ(with_keys("ready: {http: 'http://a/', json: {}}").services[0].ready.probes[0].http->json->equals,
            std::nullopt);
}
TEST(DecodeProbe, what_is_no_json_pointer_is_refused) {
  for (const char* pointer : {"status", "$.status", "/a~", "/a~2"})
    EXPECT_TRUE(loaded("services: {a: {command: x, ready: {http: 'http://a/', json: {pointer: '" +
                       std::string(pointer) + "'}}}}")
                    .diagnostics.has_errors())
        << pointer;
}
TEST(DecodeProbe, any_shares_the_tuning_beside_it) {
  const Stack stack = with_keys("ready: {any: [{port: 1}, {file: f, timeout: 9s}], timeout: 5s}");
  const ProbeSet& set = stack.services[0].ready;
  EXPECT_TRUE(set.any);
  EXPECT_EQ(set.probes.at(0).timeout, 5s);
  EXPECT_EQ(set.probes.at(1).timeout, 9s);
}

TEST(DecodeProbe, a_url_that_can_never_work_is_an_error_of_the_file) {
  for (const char* url :
       {"ftp://h/", "http://", "http://:80/", "http://h:0/", "http://h:65536/", "http://h:/", "http://h:x/",
        "http://user:pw@h/", "http://token@h/", "http://256.1.1.1/", "http://1.2.3.4.5/", "http://a..b/",
        "http://[::zz]/", "http://[::1", "http://h/#part", "http://h/a b", "http://h/\u00e4"})
    EXPECT_NE(rule_of("services: {x: {command: a, ready: {http: \"" + std::string(url) + "\"}}}"), "none")
        << url;
  for (const char* url : {"http://h/", "http://h.example.org.:80/x?y=z@w", "http://[::1]:8080/",
                          "http://127.1/", "http://my_host/", "HTTP://h", "https://h/"})
    EXPECT_EQ(rule_of("services: {x: {command: a, ready: {http: '" + std::string(url) + "'}}}"), "none")
        << url;
  for (const char* address : {"h:0", "h:70000", ":80", "[h]:80", "999.1.1.1:80", "a..b:80", "http://h:80"})
    EXPECT_NE(rule_of("services: {x: {command: a, ready: {tcp: '" + std::string(address) + "'}}}"), "none")
        << address;
}

TEST(DecodeProbe, a_password_in_a_url_is_in_no_message) {
  const std::string said =
      text_of(loaded("services: {x: {command: a, ready: {http: 'http://joe:hunter2@h/'}}}").diagnostics);
  EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
  EXPECT_NE(said.find("names a user"), std::string::npos) << said;
}

}  // namespace
}  // namespace belfry::config
