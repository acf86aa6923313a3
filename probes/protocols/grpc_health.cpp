#include "probes/protocols/grpc_health.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "probes/protocols/grpc_answer.hpp"
#include "probes/protocols/grpc_message.hpp"
#include "probes/protocols/nghttp2_session.hpp"
#include "probes/protocols/server_words.hpp"

namespace belfry::probes {

namespace {

using nghttp2::Callbacks;
using nghttp2::field;
using nghttp2::first_words;
using nghttp2::frame_type_at;
using nghttp2::most_acknowledgements;
using nghttp2::Options;
using nghttp2::Session;

}  // namespace

// One request on one connection. Owner: the dialogue. Lifecycle: made by begin(), until the next. A callback
// of nghttp2 says what is wrong in `failed` and has the reading broken off.
struct GrpcHealth::Call {
  explicit Call(const GrpcRequest& request) : body(health_request(request.service)) {
    const Callbacks callbacks = callbacks_of_all();
    const Options options = bounds();
    nghttp2_session* made = nullptr;
    if (nghttp2_session_client_new2(&made, callbacks.get(), this, options.get()) != 0) return;
    session.reset(made);
    submit(request);
  }

  static Callbacks callbacks_of_all() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) return {};
    Callbacks all(made);
    nghttp2_session_callbacks_set_on_header_callback(made, &Call::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &Call::on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &Call::on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &Call::on_close);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, &Call::on_invalid);
    return all;
  }

  static Options bounds() {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) return {};
    nghttp2_option_set_max_outbound_ack(made, most_acknowledgements);
    nghttp2_option_set_no_closed_streams(made, 1);
    return Options(made);
  }

  void submit(const GrpcRequest& request) {
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},  // of pushed ones
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GrpcAnswer::most_headers},
    };
    nghttp2_submit_settings(session.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    const std::array headers{field(":method", "POST"),
                             field(":scheme", request.within_tls ? "https" : "http"),
                             field(":path", "/grpc.health.v1.Health/Check"),
                             field(":authority", request.authority),
                             field("te", "trailers"),
                             field("content-type", "application/grpc"),
                             field("user-agent", "belfry")};
    const nghttp2_data_provider provider{{.ptr = this}, &Call::read_body};
    stream =
        nghttp2_submit_request(session.get(), nullptr, headers.data(), headers.size(), &provider, nullptr);
  }

  // What nghttp2 wants to say. Its memory is its own, and good until the next call.
  void append_outgoing(std::string& say) {
    const std::uint8_t* bytes = nullptr;
    for (ssize_t size = 0; (size = nghttp2_session_mem_send(session.get(), &bytes)) > 0;)
      say.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }

  void read(std::string_view bytes) {
    const ssize_t taken = nghttp2_session_mem_recv(
        session.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (failed || over) return;  // a callback knows better
    if (taken < 0)
      failed = Error::failed(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(taken)));
  }

  int fail(std::string why) {
    if (!failed) failed = Error::failed(std::move(why));
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static Call& of(void* self) { return *static_cast<Call*>(self); }
  static std::string_view text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  static ssize_t read_body(nghttp2_session* /*session*/, std::int32_t /*stream*/, std::uint8_t* into,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                           void* /*self*/) {
    Call& call = of(source->ptr);
    const std::size_t now = std::min(size, call.body.size() - call.sent);
    std::copy_n(call.body.begin() + static_cast<std::ptrdiff_t>(call.sent), now, into);
    call.sent += now;
    if (call.sent == call.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(now);
  }

  static int on_header(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t /*flags*/, void* self) {
    if (of(self).answer.add_header(text(name, name_size), text(value, value_size))) return 0;
    return of(self).fail("the answer's headers do not end: more than 16 KiB have come");
  }

  static int on_data(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t /*stream*/,
                     const std::uint8_t* bytes, std::size_t size, void* self) {
    if (of(self).answer.add_body(text(bytes, size))) return 0;
    return of(self).fail("the answer is too long to be that of a health check");
  }

  static int on_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* self) {
    Call& call = of(self);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.last_stream_id < call.stream)
      return call.fail(std::string("the server takes no more requests: ") +
                       nghttp2_http2_strerror(frame->goaway.error_code));
    const bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                        (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS);
    if (is_end && frame->hd.stream_id == call.stream) call.over = true;
    return 0;
  }

  static int on_close(nghttp2_session* /*session*/, std::int32_t stream, std::uint32_t code, void* self) {
    Call& call = of(self);
    if (stream != call.stream || call.over) return 0;
    return call.fail(std::string("the server broke the request off: ") + nghttp2_http2_strerror(code));
  }

  static int on_invalid(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, int code, void* self) {
    return of(self).fail(std::string("it sends what HTTP/2 forbids: ") + nghttp2_strerror(code));
  }

  std::string body;
  std::size_t sent = 0;
  std::int32_t stream = 0;
  GrpcAnswer answer;
  bool over = false;  // the answer has come whole
  std::optional<Error> failed;
  std::string first_bytes;  // until it is clear that they are HTTP/2
  bool is_http2 = false;
  Session session;  // last: it is gone before what its callbacks use
};

GrpcHealth::GrpcHealth(GrpcRequest request) : request_(std::move(request)) {}
GrpcHealth::~GrpcHealth() = default;

Result<Dialogue::Step> GrpcHealth::begin(std::string& say) {
  farewell_.clear();
  call_ = std::make_unique<Call>(request_);
  if (!call_->session || call_->stream <= 0)
    return std::unexpected(Error(Error::Kind::system, "HTTP/2 cannot be set up"));
  call_->append_outgoing(say);
  return Step::listen;
}

Result<Dialogue::Step> GrpcHealth::hear(std::string_view bytes, std::string& say) {
  Call& call = *call_;
  // A server begins with SETTINGS (RFC 9113, 3.4).
  if (!call.is_http2) {
    call.first_bytes += bytes;
    bytes = call.first_bytes;
    if (bytes.size() < first_words) return Step::listen;
    if (bytes.front() != '\0' || bytes[frame_type_at] != NGHTTP2_SETTINGS)
      return std::unexpected(not_speaking("HTTP/2, as gRPC does", bytes));
    call.is_http2 = true;
  }
  call.read(bytes);
  if (call.failed) return std::unexpected(*call.failed);
  if (!call.over) {
    call.append_outgoing(say);
    if (nghttp2_session_want_read(call.session.get()) != 0) return Step::listen;
    return std::unexpected(Error::failed("it sends what HTTP/2 forbids"));
  }
  if (auto good = judge(call.answer, request_.service); !good) return std::unexpected(good.error());
  nghttp2_session_terminate_session(call.session.get(), NGHTTP2_NO_ERROR);
  call.append_outgoing(farewell_);
  return Step::done;
}

Result<Dialogue::Step> GrpcHealth::ended() {
  if (!call_->is_http2 && !call_->first_bytes.empty())
    return std::unexpected(not_speaking("HTTP/2, as gRPC does", call_->first_bytes));
  return Dialogue::ended();
}

}  // namespace belfry::probes
