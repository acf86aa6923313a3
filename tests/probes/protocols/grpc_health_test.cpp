// Health checks of gRPC: whole conversations, and those that go wrong at every layer.
#include "probes/protocols/grpc_health.hpp"

#include <gtest/gtest.h>

#include "probes/protocols/grpc_answer.hpp"
#include "probes/protocols/grpc_message.hpp"
#include "tests/probes/protocols/conversation.hpp"
#include "tests/probes/protocols/http2_frames.hpp"

namespace belfry::probes {
namespace {

using namespace std::string_view_literals;
using namespace test;  // NOLINT(google-build-using-namespace): the frames

std::string answered(std::string_view bytes, std::string service = {}) {
  GrpcHealth dialogue({.authority = "api:9000", .service = std::move(service)});
  return outcome(dialogue, bytes);
}

// --- messages

TEST(GrpcMessage, a_request_is_a_length_and_a_name) {
  EXPECT_EQ(health_request(""), "\0\0\0\0\0"sv);
  EXPECT_EQ(health_request("shop"), "\0\0\0\0\6\x0A\4shop"sv);
  const std::string name(200, 'n');
  EXPECT_EQ(health_request(name), std::string("\0\0\0\0\xCB\x0A\xC8\x01"sv) + name);
}

TEST(GrpcMessage, a_status_is_read_and_fields_to_come_are_passed_over) {
  EXPECT_EQ(health_status(grpc_message("\x08\x01")), 1U);
  EXPECT_EQ(health_status(grpc_message("")), 0U);
  EXPECT_EQ(health_status(grpc_message("\x08\x02\x08\x01")), 1U);
  EXPECT_EQ(health_status(grpc_message("\x12\3abc\x18\x80\x01\x08\x01\x25wxyz\x29"
                                       "12345678")),
            1U);
  EXPECT_EQ(health_status(grpc_message("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")), ~std::uint64_t{0});
}

TEST(GrpcMessage, what_is_not_well_formed_is_refused) {
  for (const std::string_view bad :
       {"\x08"sv, "\x08\x80"sv, "\x0A\1x"sv, "\x0B"sv, "\x12\5abc"sv, "\x12"sv, "\x00\x01"sv, "\x25wxy"sv,
        "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"sv, "\x80\x80\x80\x80\x80\x01"sv, "\x16"sv}) {
    const auto read = health_status(grpc_message(bad));
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().text(), "the answer is not a HealthCheckResponse of grpc.health.v1");
  }
}

TEST(GrpcMessage, the_prefix_has_to_be_right) {
  EXPECT_EQ(health_status("").error().text(), "the answer has no message");
  EXPECT_EQ(health_status("\0\0\0"sv).error().text(), "the answer has no message");
  EXPECT_EQ(health_status(grpc_message("\x08\x01", true)).error().text(),
            "the answer is compressed, which nobody asked for");
  EXPECT_EQ(health_status(grpc_message("\x08\x01") + grpc_message("")).error().text(),
            "the answer is not one message: its length is 2, and 7 bytes have come");
}

TEST(GrpcMessage, words_of_a_status_are_percent_decoded) {
  EXPECT_EQ(percent_decoded("a%20b%C3%A4"), "a bä");
  EXPECT_EQ(percent_decoded("100%"), "100%");
  EXPECT_EQ(percent_decoded("%zz%4"), "%zz%4");
}

// --- conversations

TEST(GrpcHealth, begins_with_the_preface_and_the_request) {
  GrpcHealth dialogue({.authority = "api:9000", .service = "shop"});
  const std::string said = first_words(dialogue);
  EXPECT_TRUE(said.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  EXPECT_TRUE(said.contains(data_frame(health_request("shop"), end_stream)));
}

TEST(GrpcHealth, serving_is_ready_and_goodbye_is_said) {
  GrpcHealth dialogue({.authority = "api:9000"});
  EXPECT_EQ(outcome(dialogue, health_answer("\x08\x01")), "done");
  EXPECT_FALSE(dialogue.farewell().empty());  // GOAWAY
  EXPECT_EQ(outcome(dialogue, health_answer("\x08\x01")), "done");
  EXPECT_EQ(answered(settings() + ping() + good_headers() + data_frame("\0"sv) +
                     data_frame("\0\0\0\2\x08\x01"sv) + trailers("0")),
            "done");
}

TEST(GrpcHealth, other_states_are_named) {
  EXPECT_EQ(answered(health_answer("\x08\x02")), "the server is NOT_SERVING");
  EXPECT_EQ(answered(health_answer("\x08\x02"), "shop"), "the service shop is NOT_SERVING");
  EXPECT_EQ(answered(health_answer("")), "the server is UNKNOWN");
  EXPECT_EQ(answered(health_answer("\x08\x03"), "shop"), "the service shop is SERVICE_UNKNOWN");
  EXPECT_EQ(answered(health_answer("\x08\x07")), "the server has the unknown status 7");
}

TEST(GrpcHealth, a_status_without_a_body_is_explained) {
  EXPECT_EQ(answered(settings() + trailers_only("12", "Method%20not%20found")),
            "the server has no health service (grpc.health.v1)");
  EXPECT_EQ(answered(settings() + trailers_only("5", "x"), "shop"),
            "the server's health service knows no service shop");
  EXPECT_EQ(answered(settings() + trailers_only("16", "log%20in%1B")),
            "the answer was UNAUTHENTICATED: \"log in\xEF\xBF\xBD\"");
  EXPECT_EQ(answered(settings() + good_headers() + trailers("14")), "the answer was UNAVAILABLE");
  EXPECT_EQ(answered(settings() + trailers_only("99", "x")), "the answer has the unknown status \"99\"");
  EXPECT_EQ(answered(settings() + trailers_only("-1", "x")), "the answer has the unknown status \"-1\"");
}

TEST(GrpcHealth, http2_that_is_no_grpc_is_named) {
  EXPECT_EQ(answered(settings() + headers({{":status", "404"}}, end_stream)), "the answer was \"404\"");
  EXPECT_EQ(answered(settings() + headers({{":status", "200"}, {"content-type", "text/html"}}, end_stream)),
            "it speaks HTTP/2 and not gRPC: the content type is \"text/html\"");
  EXPECT_EQ(answered(settings() + good_headers() + data_frame(grpc_message("\x08\x01"), end_stream)),
            "the answer has no `grpc-status`");
}

TEST(GrpcHealth, others_are_named) {
  EXPECT_EQ(answered("HTTP/1.1 400 Bad Request\r\n\r\n"), "it speaks HTTP and not HTTP/2, as gRPC does");
  EXPECT_EQ(answered("\x15\x03\x01\0\2\2\x46"sv),
            "it speaks TLS and not HTTP/2, as gRPC does: add `tls: true`");
  EXPECT_TRUE(
      answered("+PONG\r\n").starts_with("it does not speak HTTP/2, as gRPC does: it answered \"+PON"));
  GrpcHealth dialogue({.authority = "api:9000"});
  EXPECT_EQ(outcome_of_end(dialogue, ""), "it closed the connection without an answer");
  EXPECT_EQ(outcome_of_end(dialogue, settings()), "it closed the connection without an answer");
  EXPECT_TRUE(outcome_of_end(dialogue, "220").starts_with("it does not speak HTTP/2"));
}

TEST(GrpcHealth, a_request_that_is_broken_off_says_why) {
  EXPECT_EQ(answered(settings() + http2_frame(3, 0, 1, big_endian(7, 4))),
            "the server broke the request off: REFUSED_STREAM");
  EXPECT_EQ(answered(settings() + http2_frame(7, 0, 0, big_endian(0, 4) + big_endian(11, 4))),
            "the server takes no more requests: ENHANCE_YOUR_CALM");
  // One that names this request lets it be answered.
  EXPECT_EQ(answered(settings() + http2_frame(7, 0, 0, big_endian(1, 4) + big_endian(0, 4)) + good_headers() +
                     data_frame(grpc_message("\x08\x01")) + trailers("0")),
            "done");
}

TEST(GrpcHealth, a_truncated_answer_is_waited_for) {
  const std::string whole = health_answer("\x08\x01");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(answered(std::string_view(whole).substr(0, size)), "listens") << size;
}

TEST(GrpcHealth, what_http2_forbids_is_refused) {
  EXPECT_TRUE(answered(settings() + http2_frame(0, 0, 0, "x")).starts_with("it sends what HTTP/2 forbids"));
  EXPECT_NE(answered(settings() + http2_frame(1, end_headers, 1, "\xFF\xFF\xFF\xFF\xFF\xFF")), "listens");
  EXPECT_NE(answered(settings() + data_frame("x")), "listens");  // before the headers
  EXPECT_NE(answered(settings() + std::string("\xFF\xFF\xFF\0\0\0\0\0\1", 9)), "listens");
}

// --- without end

TEST(GrpcHealth, endless_headers_have_an_end) {
  GrpcHealth dialogue({.authority = "api:9000"});
  const std::string many = literals({{"x-name", std::string(100, 'v')}});
  EXPECT_LT(patience(dialogue, settings() + http2_frame(1, 0, 1, literals({{":status", "200"}})),
                     http2_frame(9, 0, 1, many)),
            100'000U);
}

TEST(GrpcHealth, an_endless_body_has_an_end) {
  GrpcHealth dialogue({.authority = "api:9000"});
  EXPECT_LT(patience(dialogue, settings() + good_headers(), data_frame(std::string(1000, '\0'))), 8192U);
}

TEST(GrpcHealth, floods_of_pings_and_settings_in_one_piece_are_refused) {
  for (const std::string& one : {ping(), settings()}) {
    std::string flood = settings();
    for (int i = 0; i < 100; ++i) flood += one;
    GrpcHealth dialogue({.authority = "api:9000"});
    const std::string said = outcome(dialogue, flood, std::string_view::npos);
    EXPECT_TRUE(said.starts_with("HTTP/2: ")) << said;
  }
}

}  // namespace
}  // namespace belfry::probes
