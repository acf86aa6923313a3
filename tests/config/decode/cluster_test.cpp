// Several hosts in a file: `cluster`, `publish` and the `cluster` probe.
#include <gtest/gtest.h>

#include "config/decode/decode.hpp"
#include "config/model/output_reference.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

const std::string top = "cluster: {etcd: ['https://e1:2379']}\n";

Probe probe_of(const std::string& probe) {
  const Stack stack = good(top + "services: {q: {type: external, ready: " + probe + "}}");
  return stack.services.at(0).ready.probes.at(0);
}
std::string rule(const std::string& text) { return rule_of(text); }

TEST(DecodeCluster, is_read_with_its_defaults) {
  const Cluster cluster = *good(top + "services: {a: {command: a}}").cluster;
  EXPECT_EQ(cluster.etcd, std::vector<std::string>{"https://e1:2379"});
  EXPECT_EQ(cluster.name, "") << "that of the stack";
  EXPECT_EQ(cluster.host, "") << "that of the host";
  EXPECT_EQ(cluster.ttl, 10s);
  EXPECT_EQ(cluster.id, 0U);
}

TEST(DecodeCluster, says_who_it_is_and_how_it_asks) {
  const Cluster cluster =
      *good(
           "cluster: {etcd: [e1, e2], name: shop, host: a, ttl: 30s, user: u, password_file: p, "
           "id: cdf818194e3a8c32, tls: {ca: ca.pem}}\nservices: {a: {command: a}}")
           .cluster;
  EXPECT_EQ(cluster.host, "a");
  EXPECT_TRUE(cluster.tls_asked);
  EXPECT_EQ(cluster.tls.ca, "/nowhere/ca.pem");
  EXPECT_EQ(cluster.password_file, "/nowhere/p");
  EXPECT_EQ(cluster.id, 0xcdf818194e3a8c32U);
}

TEST(DecodeCluster, that_cannot_be_is_an_error) {
  const std::string services = "services: {a: {command: a}}";
  for (const char* cluster : {"{}", "{etcd: []}", "{etcd: [e], host: a/b}", "{etcd: [e], name: 'a b'}",
                              "{etcd: [e], ttl: 1s}", "{etcd: [e], ttl: 2h}", "{etcd: [e], id: xyz}",
                              "{etcd: [e], password_file: p}", "{etcd: [e], tls: {key: k}}"})
    EXPECT_NE(rule("cluster: " + std::string(cluster) + "\n" + services), "none") << cluster;
}

TEST(DecodeCluster, a_probe_asks_for_one_host_or_for_all_that_are_named) {
  EXPECT_EQ(probe_of("{cluster: kafka}").cluster->require, 1U);
  EXPECT_EQ(probe_of("{cluster: kafka, hosts: [a, b, c]}").cluster->require, 3U);
  EXPECT_EQ(probe_of("{cluster: kafka, hosts: [a, b, c], require: 2}").cluster->require, 2U);
  EXPECT_EQ(probe_of("{cluster: kafka, hosts: [a, b, c], require: any}").cluster->require, 1U);
}

TEST(DecodeCluster, what_confirms_is_asked_of_what_the_host_has_published) {
  const Probe confirm = *probe_of("{cluster: kafka, confirm: {tcp: '${address}'}}").cluster->confirm;
  EXPECT_EQ(confirm.kind, Probe::Kind::tcp);
  EXPECT_EQ(confirm.target, reference_to({.service = of_that_host, .key = "ADDRESS"}));
}

TEST(DecodeCluster, a_probe_that_can_never_be_true_is_an_error) {
  for (const char* probe :
       {"{cluster: kafka, hosts: [a], require: 2}", "{cluster: kafka, require: all}",
        "{cluster: kafka, hosts: []}", "{cluster: kafka, hosts: [a, a]}", "{cluster: kafka, hosts: [a/b]}",
        "{cluster: 'a b'}", "{cluster: kafka, confirm: notify}", "{cluster: kafka, confirm: {port: 80}}",
        "{tcp: 'a:1', hosts: [a]}", "{tcp: 'a:1', confirm: {tcp: 'b:1'}}"})
    EXPECT_NE(rule(top + "services: {q: {type: external, ready: " + probe + "}}"), "none") << probe;
}

TEST(DecodeCluster, what_needs_a_cluster_says_so) {
  EXPECT_EQ(rule("services: {q: {type: external, ready: {cluster: kafka}}}"), "missing-key");
  EXPECT_EQ(rule("services: {a: {command: a, publish: true}}"), "missing-key");
  EXPECT_EQ(rule(top + "services: {a: {command: a, ready: {cluster: kafka}}}"), "unfit-probe");
}

TEST(DecodeCluster, what_is_published_has_keys_in_upper_case) {
  const Stack stack = good(top +
                           "services: {a: {command: a, publish: {address: 'x:1', Rack: 7}}, b: {command: b, "
                           "publish: true}, c: {command: c, publish: false}}");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(stack.services[0].extras->publish->outputs, (Pairs{{"ADDRESS", "x:1"}, {"RACK", "7"}}));
  EXPECT_TRUE(stack.services[1].extras->publish->outputs.empty());
  EXPECT_FALSE(stack.services[2].extras && stack.services[2].extras->publish);
  EXPECT_NE(rule(top + "services: {a: {command: a, publish: {address: x, ADDRESS: y}}}"), "none");
  EXPECT_NE(rule(top + "services: {a: {command: a, publish: {'a-b': x}}}"), "none");
}

TEST(DecodeCluster, outputs_of_all_hosts_and_of_each_can_be_used) {
  const Stack stack =
      good(top +
           "services: {kafka: {type: external, ready: {cluster: kafka, hosts: [a, b-1.eu]}}, app: {command: "
           "'app ${kafka.ADDRESSES} ${kafka.a.ADDRESS} ${kafka.b-1.eu.ADDRESS} ${kafka.FENCE}', depends_on: "
           "[kafka]}}");
  std::vector<std::string> published;
  for (const OutputReference& one : stack.services[1].extras->references) published.push_back(one.published);
  EXPECT_EQ(published, (std::vector<std::string>{"ADDRESSES", "a.ADDRESS", "b-1.eu.ADDRESS", "FENCE"}));
  EXPECT_EQ(
      rule(top +
           "services: {kafka: {type: external, ready: {cluster: kafka, hosts: [a]}}, app: {command: 'app "
           "${kafka.z.ADDRESS}', depends_on: [kafka]}}"),
      "unknown-service");
}

}  // namespace
}  // namespace belfry::config
