// The messages, byte by byte: the numbers of the fields are those of etcd's rpc.proto and kv.proto
// (github.com/etcd-io/etcd, api/etcdserverpb and api/mvccpb).
#include "daemon/cluster/etcd/messages.hpp"

#include <gtest/gtest.h>

#include <string>

#include "daemon/cluster/etcd/protobuf.hpp"

namespace belfry::daemon::etcd {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

// ResponseHeader{cluster_id: 1, member_id: 2, revision: 3, raft_term: 4} as field 1.
const std::string header = "\x0A\x08\x08\x01\x10\x02\x18\x03\x20\x04"s;
// KeyValue{key: "a", create_revision: 5, mod_revision: 6, version: 2, value: "v", lease: 7}.
const std::string key_value =
    "\x0A\x01"
    "a"
    "\x10\x05\x18\x06\x20\x02\x2A\x01"
    "v"
    "\x30\x07"s;
const KeyValue a{.key = "a", .value = "v", .create_revision = 5, .mod_revision = 6, .version = 2, .lease = 7};
const Header who{.cluster = 1, .member = 2, .revision = 3};

TEST(EtcdMessages, the_end_of_a_prefix_is_the_first_key_behind_it) {
  EXPECT_EQ(end_of_prefix("shop/"), "shop0");
  EXPECT_EQ(end_of_prefix("a\xFF\xFF"), "b");
  EXPECT_EQ(end_of_prefix("\xFF"), "\0"s);
  EXPECT_EQ(end_of_prefix(""), "\0"s);
}

TEST(EtcdMessages, a_range_request_names_key_and_end) {
  EXPECT_EQ(range_request({.prefix = "s/"}), "\x0A\x02s/\x12\x02s0"s);
  EXPECT_EQ(range_request({.prefix = ""}), "\x0A\x01\x00\x12\x01\x00"s);
}

TEST(EtcdMessages, a_transaction_has_conditions_and_two_branches) {
  Txn txn;
  txn.when.push_back({.key = "a", .what = Compare::What::create_revision, .number = 0, .text = {}});
  txn.then.emplace_back(Put{.key = "a", .value = "v", .lease = 7});
  txn.otherwise.emplace_back(Get{.key = "a"});
  txn.otherwise.emplace_back(Delete{.key = "a"});
  EXPECT_EQ(txn_request(txn),
            // Compare{target: CREATE, key: "a", create_revision: 0}
            "\x0A\x07\x10\x01\x1A\x01"
            "a"
            "\x28\x00"
            // RequestOp{request_put: {key: "a", value: "v", lease: 7}}
            "\x12\x0A\x12\x08\x0A\x01"
            "a"
            "\x12\x01v\x18\x07"
            // RequestOp{request_range: {key: "a"}}, RequestOp{request_delete_range: {key: "a"}}
            "\x1A\x05\x0A\x03\x0A\x01"
            "a"
            "\x1A\x05\x1A\x03\x0A\x01"
            "a"s);
}

TEST(EtcdMessages, each_kind_of_condition_has_a_field_of_its_own) {
  using What = Compare::What;
  const auto of = [](What what) {
    Txn txn;
    txn.when.push_back({.key = "a", .what = what, .how = Compare::How::not_equal, .number = 9, .text = "t"});
    return txn_request(txn).substr(2);
  };
  EXPECT_EQ(of(What::version),
            "\x08\x03\x1A\x01"
            "a"
            "\x20\x09"s);
  EXPECT_EQ(of(What::create_revision),
            "\x08\x03\x10\x01\x1A\x01"
            "a"
            "\x28\x09"s);
  EXPECT_EQ(of(What::mod_revision),
            "\x08\x03\x10\x02\x1A\x01"
            "a"
            "\x30\x09"s);
  EXPECT_EQ(of(What::value),
            "\x08\x03\x10\x03\x1A\x01"
            "a"
            "\x3A\x01t"s);
  EXPECT_EQ(of(What::lease),
            "\x08\x03\x10\x04\x1A\x01"
            "a"
            "\x40\x09"s);
}

TEST(EtcdMessages, the_other_requests) {
  EXPECT_EQ(watch_create_request("s/", 9), "\x0A\x0A\x0A\x02s/\x12\x02s0\x18\x09"s);
  EXPECT_EQ(lease_grant_request(10s), "\x08\x0A"s);
  EXPECT_EQ(lease_revoke_request(300), "\x08\xAC\x02"s);
  EXPECT_EQ(lease_keep_alive_request(1), "\x08\x01"s);
  EXPECT_EQ(authenticate_request("u", "p"), "\x0A\x01u\x12\x01p"s);
  EXPECT_EQ(status_request(), "");
}

TEST(EtcdMessages, a_range_response_has_keys_and_a_revision) {
  const auto response = read_range_response(header + "\x12\x0E"s + key_value + "\x18\x01\x20\x01"s);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->header, who);
  EXPECT_EQ(response->range, (Range{.revision = 3, .keys = {a}}));
}

TEST(EtcdMessages, a_transaction_tells_what_each_operation_has_done) {
  // ResponseOp{response_range: {kvs}}, {response_put: {}}, {response_delete_range: {deleted: 4}}
  const auto response = read_txn_response(header + "\x10\x01\x1A\x12\x0A\x10\x12\x0E"s + key_value +
                                          "\x1A\x02\x12\x00\x1A\x04\x1A\x02\x10\x04"s);
  ASSERT_TRUE(response);
  EXPECT_TRUE(response->result.held);
  EXPECT_EQ(response->result.revision, 3);
  ASSERT_EQ(response->result.done.size(), 3U);
  EXPECT_EQ(response->result.done[0].found, std::vector{a});
  EXPECT_EQ(response->result.done[1], TxnResult::Done{});
  EXPECT_EQ(response->result.done[2].deleted, 4);
}

TEST(EtcdMessages, a_watch_tells_events_or_why_it_is_over) {
  // Event{kv}, Event{type: DELETE, kv: {key: "b", mod_revision: 8}} as field 11.
  const auto news = read_watch_response(header + "\x5A\x10\x12\x0E"s + key_value +
                                        "\x5A\x09\x08\x01\x12\x05\x0A\x01"
                                        "b"
                                        "\x18\x08"s);
  ASSERT_TRUE(news);
  ASSERT_EQ(news->news.events.size(), 2U);
  EXPECT_EQ(news->news.events[0], (Event{.type = Event::Type::put, .key_value = a}));
  EXPECT_EQ(news->news.events[1].type, Event::Type::deleted);
  EXPECT_EQ(news->news.events[1].key_value.mod_revision, 8);
  const auto over = read_watch_response(header + "\x20\x01\x28\x2A\x32\x03why"s);
  ASSERT_TRUE(over);
  EXPECT_TRUE(over->canceled);
  EXPECT_FALSE(over->created);
  EXPECT_EQ(over->news.compacted, 42);
  EXPECT_EQ(over->cancel_reason, "why");
}

TEST(EtcdMessages, the_other_responses) {
  const auto lease = read_lease_response(header + "\x10\x07\x18\x0A"s);
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->lease, (Lease{.id = 7, .ttl = 10s}));
  EXPECT_EQ(read_lease_response(header + "\x10\x07"s)->lease.ttl, 0s) << "the lease is gone";
  EXPECT_EQ(read_authenticate_response(header + "\x12\x05token"s)->token, "token");
  const auto status = read_status_response(header +
                                           "\x12\x06"
                                           "3.4.23"
                                           "\x18\x05\x20\x02"s);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->version, "3.4.23");
  EXPECT_EQ(status->leader, 2U);
  EXPECT_EQ(read_revoke_response(header)->header, who);
}

TEST(EtcdMessages, fields_of_later_versions_are_passed_over) {
  EXPECT_EQ(read_range_response(header + "\xA0\x06\x01\xAA\x06\x02hi"s)->header, who);
}

// Whatever is cut off, or stands where something else should, is nothing; only at the ends of fields may a
// prefix be a message of its own.
TEST(EtcdMessages, a_response_that_is_cut_off_is_never_taken_for_more_than_it_is) {
  const std::string whole = header + "\x5A\x10\x12\x0E"s + key_value;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = read_watch_response(whole.substr(0, size));
    EXPECT_EQ(read.has_value(), size == 0 || size == header.size()) << size;
  }
  EXPECT_FALSE(read_range_response("\x08\x01"s)) << "a number where the header is";
  EXPECT_FALSE(read_watch_response("\x5A\x02\x08\x02"s)) << "an event that is neither put nor delete";
}

TEST(EtcdMessages, there_are_no_more_elements_than_anybody_has_keys) {
  std::string message;
  for (std::size_t i = 0; i < most_elements; ++i) message += "\x12\x00"s;
  EXPECT_TRUE(read_range_response(message));
  EXPECT_FALSE(read_range_response(message + "\x12\x00"s));
}

}  // namespace
}  // namespace belfry::daemon::etcd
