// Many calls on one connection, without a socket: frames by hand on one side, what is made of them on the
// other.
#include "daemon/cluster/etcd/http2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/cluster/etcd/scripted_member.hpp"
#include "tests/probes/protocols/http2_frames.hpp"

namespace belfry::daemon::etcd {
namespace {

using test::begun;
using test::ended;
using test::goaway;
using test::message;
using testing::HasSubstr;
using namespace std::string_literals;
using Kind = Http2::Call::Kind;

struct Conversation {
  Http2 connection;
  int told = 0;

  explicit Conversation(Http2Options options = {.authority = "e1:2379", .largest_message = 1000})
      : connection(std::move(options)) {
    EXPECT_TRUE(connection.hear(belfry::test::settings()));
  }
  std::unique_ptr<Http2::Call> call(Kind kind = Kind::short_one) {
    return std::make_unique<Http2::Call>(connection, "/path", std::span<const Metadata>(), "ask", kind,
                                         [this] { ++told; });
  }
  std::string said() {
    std::string say;
    connection.append_outgoing(say);
    return say;
  }
};

// The window updates for `stream` in what is said, added up.
std::size_t room_given(std::string_view said, std::uint32_t stream) {
  std::size_t room = 0;
  while (said.size() >= 9) {
    const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(said[at])}; };
    const std::size_t size = byte(0) << 16U | byte(1) << 8U | byte(2);
    if (byte(3) == 8 && byte(8) == stream) room += byte(10) << 16U | byte(11) << 8U | byte(12);
    said.remove_prefix(std::min(said.size(), 9 + size));
  }
  return room;
}

TEST(EtcdHttp2, answers_of_several_calls_may_come_in_any_order) {
  Conversation talk;
  const auto first = talk.call();
  const auto second = talk.call();
  EXPECT_THAT(talk.said(), HasSubstr("\0\0\0\0\3ask"s));
  EXPECT_TRUE(talk.connection.hear(begun(3) + begun(1) + message(3, "three") + message(1, "one") + ended(3) +
                                   ended(1)));
  EXPECT_EQ(first->take(), "one");
  EXPECT_EQ(first->take(), std::nullopt);
  EXPECT_EQ(second->take(), "three");
  ASSERT_TRUE(first->end() && second->end());
  EXPECT_EQ(first->end()->how, CallEnd::How::answered);
  EXPECT_EQ(first->end()->status.code, GrpcCode::ok);
  EXPECT_EQ(talk.connection.calls(), 0U);
}

TEST(EtcdHttp2, a_message_may_come_in_pieces_and_several_in_one) {
  Conversation talk;
  const auto call = talk.call();
  talk.said();
  const std::string bytes =
      begun(1) + belfry::test::http2_frame(0, 0, 1,
                                           belfry::test::grpc_message("a") + belfry::test::grpc_message("") +
                                               belfry::test::grpc_message("bc"));
  for (const char byte : bytes) EXPECT_TRUE(talk.connection.hear({&byte, 1}));
  EXPECT_EQ(call->take(), "a");
  EXPECT_EQ(call->take(), "");
  EXPECT_EQ(call->take(), "bc");
  EXPECT_FALSE(call->end());
}

TEST(EtcdHttp2, a_status_other_than_ok_comes_with_its_words) {
  Conversation talk;
  const auto call = talk.call();
  talk.said();
  EXPECT_TRUE(talk.connection.hear(begun(1) + ended(1, "14", "etcdserver: no%20leader")));
  EXPECT_EQ(call->end()->status.code, GrpcCode::unavailable);
  EXPECT_EQ(call->end()->status.text(), "UNAVAILABLE: \"etcdserver: no leader\"");
}

TEST(EtcdHttp2, who_answers_with_a_page_is_no_member) {
  Conversation talk;
  const auto page = talk.call();
  const auto error = talk.call();
  const auto strange = talk.call();
  talk.said();
  const auto answer = [](std::uint32_t stream, belfry::test::HeaderFields fields) {
    return belfry::test::http2_frame(1, 5, stream, belfry::test::literals(fields));
  };
  EXPECT_TRUE(talk.connection.hear(
      answer(1, {{":status", "200"}, {"content-type", "text/html"}}) + answer(3, {{":status", "502"}}) +
      answer(5, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "99"}})));
  EXPECT_THAT(page->end()->status.text(), HasSubstr("no gRPC: the content type is text/html"));
  EXPECT_EQ(error->end()->status.code, GrpcCode::unavailable);
  EXPECT_THAT(error->end()->status.text(), HasSubstr("the answer of HTTP was 502"));
  EXPECT_THAT(strange->end()->status.text(), HasSubstr("no gRPC: the status is 99"));
}

TEST(EtcdHttp2, a_call_that_lasts_says_more_until_it_is_let_go) {
  Conversation talk;
  auto call = talk.call(Kind::lasting);
  talk.said();
  call->send("more");
  EXPECT_THAT(talk.said(), HasSubstr("\0\0\0\0\4more"s));
  call.reset();
  EXPECT_EQ(talk.said(), test::reset(1, 8));  // CANCEL
  EXPECT_EQ(talk.connection.calls(), 0U);
  EXPECT_TRUE(talk.connection.hear(begun(1) + message(1, "late") + ended(1)));
}

TEST(EtcdHttp2, a_call_that_is_let_go_before_it_was_sent_is_not_sent) {
  Conversation talk;
  talk.said();
  talk.call().reset();
  EXPECT_THAT(talk.said(), testing::Not(HasSubstr("ask")));
}

TEST(EtcdHttp2, a_server_that_has_said_its_last_word_has_ended_a_call_that_lasts) {
  Conversation talk;
  const auto call = talk.call(Kind::lasting);
  talk.said();
  EXPECT_TRUE(talk.connection.hear(begun(1) + ended(1, "16")));
  ASSERT_TRUE(call->end());
  EXPECT_EQ(call->end()->status.code, GrpcCode::unauthenticated);
  call->send("nobody hears it");
  EXPECT_THAT(talk.said(), testing::Not(HasSubstr("nobody")));
}

TEST(EtcdHttp2, a_message_that_is_too_long_ends_its_call_and_no_other) {
  Conversation talk;
  const auto large = talk.call();
  const auto small = talk.call();
  talk.said();
  EXPECT_TRUE(
      talk.connection.hear(begun(1) + begun(3) + message(1, std::string(1001, 'x')) + message(3, "ok")));
  ASSERT_TRUE(large->end());
  EXPECT_EQ(large->end()->how, CallEnd::How::lost);
  EXPECT_EQ(large->end()->why.text(),
            "cannot read the answer: it has 1001 bytes, and 1000 are the most that is read");
  EXPECT_EQ(small->take(), "ok");
}

TEST(EtcdHttp2, what_nobody_reads_is_sent_no_more_than_a_window) {
  Conversation talk({.authority = "e1:2379", .largest_message = 100'000, .stream_window = 65'535});
  const auto watch = talk.call(Kind::lasting);
  const auto other = talk.call();
  talk.said();
  EXPECT_TRUE(talk.connection.hear(begun(1) + begun(3)));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(talk.connection.hear(message(1, std::string(15'000, 'x'))));
  EXPECT_EQ(room_given(talk.said(), 1), 0U) << "it is held until it is read";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(watch->take());
  EXPECT_EQ(room_given(talk.said(), 1), 0U);
  EXPECT_TRUE(watch->take());
  EXPECT_EQ(room_given(talk.said(), 1), 4 * 15'005U);
  EXPECT_TRUE(talk.connection.hear(message(3, "not held up")));
  EXPECT_EQ(other->take(), "not held up");
}

TEST(EtcdHttp2, a_message_larger_than_the_window_comes_all_the_same) {
  Conversation talk({.authority = "e1:2379", .largest_message = 100'000, .stream_window = 65'535});
  const auto call = talk.call();
  talk.said();
  EXPECT_TRUE(talk.connection.hear(begun(1)));
  std::string whole = belfry::test::grpc_message(std::string(90'000, 'x'));
  std::size_t room = 65'535;
  while (!whole.empty()) {
    const std::string_view part = std::string_view(whole).substr(0, std::min<std::size_t>(16'000, room));
    ASSERT_FALSE(part.empty()) << "it waits for ever";
    EXPECT_TRUE(talk.connection.hear(belfry::test::http2_frame(0, 0, 1, part)));
    room = room - part.size() + room_given(talk.said(), 1);
    whole.erase(0, part.size());
  }
  EXPECT_EQ(call->take()->size(), 90'000U);
}

TEST(EtcdHttp2, calls_beyond_a_goaway_were_not_looked_at_and_those_before_it_go_on) {
  Conversation talk;
  const auto before = talk.call();
  const auto beyond = talk.call();
  talk.said();
  EXPECT_TRUE(talk.connection.hear(goaway(1)));
  EXPECT_TRUE(talk.connection.going_away());
  ASSERT_TRUE(beyond->end());
  EXPECT_EQ(beyond->end()->how, CallEnd::How::not_taken);
  const auto late = talk.call();
  EXPECT_EQ(late->end()->how, CallEnd::How::not_taken);
  EXPECT_TRUE(talk.connection.hear(begun(1) + message(1, "one") + ended(1)));
  EXPECT_EQ(before->take(), "one");
}

TEST(EtcdHttp2, a_stream_that_is_reset_was_refused_or_is_lost) {
  Conversation talk;
  const auto refused = talk.call();
  const auto lost = talk.call();
  talk.said();
  EXPECT_TRUE(talk.connection.hear(test::reset(1, 7) + test::reset(3, 2)));
  EXPECT_EQ(refused->end()->how, CallEnd::How::not_taken);
  EXPECT_EQ(lost->end()->how, CallEnd::How::lost);
  EXPECT_EQ(lost->end()->why.text(), "the server broke the call off: INTERNAL_ERROR");
}

TEST(EtcdHttp2, the_end_of_a_connection_is_the_end_of_its_calls) {
  Conversation talk;
  const auto call = talk.call();
  talk.connection.end(Error::failed("it closed the connection"));
  EXPECT_EQ(call->end()->how, CallEnd::How::lost);
  EXPECT_EQ(call->end()->why.text(), "it closed the connection");
  EXPECT_EQ(talk.told, 1);
  EXPECT_EQ(talk.call()->end()->how, CallEnd::How::not_taken);
}

TEST(EtcdHttp2, who_speaks_no_http2_is_named_and_what_it_forbids_ends_the_connection) {
  Http2 web({.authority = "e1:2379"});
  EXPECT_EQ(web.hear("HTTP/1.1 200 OK\r\n").error().text(), "it speaks HTTP and not HTTP/2, as etcd does");
  Conversation talk;
  const auto call = talk.call();
  talk.said();
  (void)talk.connection.hear(belfry::test::http2_frame(1, 4, 1, "\xFF\xFF\xFF\xFF"));  // no HPACK
  EXPECT_FALSE(talk.said().empty()) << "the server is told why";
  EXPECT_TRUE(talk.connection.failed());
  EXPECT_FALSE(talk.connection.hear(begun(1))) << "and for good";
}

TEST(EtcdHttp2, headers_that_do_not_end_and_floods_that_want_answers_are_bounded) {
  Conversation talk;
  const auto call = talk.call();
  talk.said();
  std::string fields;
  const std::string value(100, 'v');
  for (int i = 0; i < 100; ++i) fields += belfry::test::literals({{"x", value}, {"y", value}});
  (void)talk.connection.hear(belfry::test::http2_frame(1, 4, 1, fields.substr(0, 16'000)) + begun(1));
  Conversation flooded;
  Result<void> heard;
  for (int i = 0; i < 100 && heard; ++i) heard = flooded.connection.hear(belfry::test::ping());
  EXPECT_FALSE(heard);
}

}  // namespace
}  // namespace belfry::daemon::etcd
