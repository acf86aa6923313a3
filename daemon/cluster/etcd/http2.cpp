#include "daemon/cluster/etcd/http2.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "probes/protocols/nghttp2_session.hpp"
#include "probes/protocols/server_words.hpp"

namespace belfry::daemon::etcd {

namespace {

using probes::nghttp2::Callbacks;
using probes::nghttp2::field;
using probes::nghttp2::first_words;
using probes::nghttp2::frame_type_at;
using probes::nghttp2::most_acknowledgements;
using probes::nghttp2::Options;
using probes::nghttp2::Session;

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// What nghttp2 calls back into. A call is the user data of its stream until one of the two has ended.
struct Http2::State {
  explicit State(Http2Options given) : options(std::move(given)) {
    const Callbacks callbacks = callbacks_of_all();
    const Options bounds = bounds_of_all();
    nghttp2_session* made = nullptr;
    if (nghttp2_session_client_new2(&made, callbacks.get(), this, bounds.get()) != 0) return;
    session.reset(made);
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},  // of pushed ones
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GrpcHeaders::most_bytes},
    };
    nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0,
                                          static_cast<std::int32_t>(options.connection_window));
  }

  static Callbacks callbacks_of_all() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) return {};
    Callbacks all(made);
    nghttp2_session_callbacks_set_on_header_callback(made, &State::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &State::on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &State::on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &State::on_close);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, &State::on_invalid);
    return all;
  }

  // Windows are given back by hand: a call that nobody reads is not sent more.
  static Options bounds_of_all() {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) return {};
    nghttp2_option_set_max_outbound_ack(made, most_acknowledgements);
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_no_auto_window_update(made, 1);
    return Options(made);
  }

  static State& of(void* self) { return *static_cast<State*>(self); }
  Call* call_of(std::int32_t stream) {
    return static_cast<Call*>(nghttp2_session_get_stream_user_data(session.get(), stream));
  }

  int fail(std::string why) {
    if (!failed) failed = Error::failed(std::move(why));
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  // A call that goes wrong takes nothing else with it.
  void break_off(Call& call, std::string why) {
    nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, call.stream_, NGHTTP2_CANCEL);
    nghttp2_session_set_stream_user_data(session.get(), call.stream_, nullptr);
    call.finish({.how = CallEnd::How::lost, .status = {}, .why = Error::failed(std::move(why))});
  }

  static ssize_t read_body(nghttp2_session* /*session*/, std::int32_t stream, std::uint8_t* into,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source* /*source*/,
                           void* self) {
    Call* const call = of(self).call_of(stream);
    if (call == nullptr) return NGHTTP2_ERR_DEFERRED;  // it is being reset
    const std::size_t now = std::min(size, call->outgoing_.size());
    if (now == 0 && call->says_more_) return NGHTTP2_ERR_DEFERRED;
    std::copy_n(call->outgoing_.data(), now, into);
    call->outgoing_.erase(0, now);
    if (call->outgoing_.empty() && !call->says_more_) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(now);
  }

  static int on_header(nghttp2_session* /*session*/, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t /*flags*/, void* self) {
    Call* const call = of(self).call_of(frame->hd.stream_id);
    if (call == nullptr || call->headers_.add(text(name, name_size), text(value, value_size))) return 0;
    of(self).break_off(*call, "the answer's headers do not end: more than 16 KiB have come");
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t stream,
                     const std::uint8_t* bytes, std::size_t size, void* self) {
    nghttp2_session_consume_connection(session, size);
    Call* const call = of(self).call_of(stream);
    if (call == nullptr) return 0;
    if (std::string wrong = call->incoming_.add(text(bytes, size)); !wrong.empty()) {
      of(self).break_off(*call, "cannot read the answer: " + wrong);
      return 0;
    }
    call->unconsumed_ += size;
    call->consume();
    if (call->incoming_.has_messages()) call->tell_();
    return 0;
  }

  // A server that has said its last word has ended the call, whatever the client still meant to say.
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) of(self).going_away = true;
    const bool is_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                         (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS);
    Call* const call = is_last ? of(self).call_of(frame->hd.stream_id) : nullptr;
    if (call == nullptr) return 0;
    nghttp2_session_set_stream_user_data(session, call->stream_, nullptr);
    if (call->says_more_)
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_, NGHTTP2_NO_ERROR);
    call->finish({.how = CallEnd::How::answered, .status = call->headers_.status(), .why = {}});
    return 0;
  }

  static int on_close(nghttp2_session* session, std::int32_t stream, std::uint32_t code, void* self) {
    Call* const call = of(self).call_of(stream);
    if (call == nullptr) return 0;
    nghttp2_session_set_stream_user_data(session, stream, nullptr);
    CallEnd end;
    if (code == NGHTTP2_REFUSED_STREAM) {
      end = {.how = CallEnd::How::not_taken,
             .status = {},
             .why = Error::failed("the server takes no more calls")};
    } else {
      end = {.how = CallEnd::How::lost,
             .status = {},
             .why = Error::failed(std::string("the server broke the call off: ") +
                                  nghttp2_http2_strerror(code))};
    }
    call->finish(std::move(end));
    return 0;
  }

  static int on_invalid(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, int code, void* self) {
    return of(self).fail(std::string("it sends what HTTP/2 forbids: ") + nghttp2_strerror(code));
  }

  // nghttp2 has said why in a GOAWAY of its own, and reads no more when that is sent. After one of the
  // server's it does so when the last call is over.
  void notice_the_end() {
    if (failed || nghttp2_session_want_read(session.get()) != 0) return;
    if (!going_away || !calls.empty()) failed = Error::failed("it sends what HTTP/2 forbids");
  }

  void tell_outgoing() {
    if (tell && session && nghttp2_session_want_write(session.get()) != 0) tell();
  }

  Http2Options options;
  std::set<Call*> calls;  // all that have not ended
  std::size_t short_calls = 0;
  bool going_away = false;
  std::optional<Error> failed;  // why the connection is good for nothing
  std::string beginning;        // until it is clear that it is HTTP/2
  bool is_http2 = false;
  std::move_only_function<void()> tell;
  Session session;  // last: it is gone before what its callbacks use
};

Http2::Http2(Http2Options options) : state_(std::make_unique<State>(std::move(options))) {
  if (!state_->session) state_->failed = Error(Error::Kind::system, "HTTP/2 cannot be set up");
}
Http2::~Http2() = default;

std::size_t Http2::calls() const { return state_->calls.size(); }
std::size_t Http2::short_calls() const { return state_->short_calls; }
const std::optional<Error>& Http2::failed() const { return state_->failed; }
bool Http2::going_away() const { return state_->going_away; }
void Http2::on_outgoing(std::move_only_function<void()> tell) { state_->tell = std::move(tell); }

Result<void> Http2::hear(std::string_view bytes) {
  State& state = *state_;
  if (state.failed) return std::unexpected(*state.failed);
  // A server begins with SETTINGS (RFC 9113, 3.4).
  if (!state.is_http2) {
    state.beginning += bytes;
    bytes = state.beginning;
    if (bytes.size() < first_words) return {};
    if (bytes.front() != '\0' || bytes[frame_type_at] != NGHTTP2_SETTINGS)
      return std::unexpected(probes::not_speaking("HTTP/2, as etcd does", bytes));
    state.is_http2 = true;
  }
  const ssize_t taken = nghttp2_session_mem_recv(
      state.session.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  state.beginning.clear();
  if (taken < 0 && !state.failed)
    state.failed = Error::failed(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(taken)));
  state.notice_the_end();
  state.tell_outgoing();
  if (state.failed) return std::unexpected(*state.failed);
  return {};
}

// Its memory is its own, and good until the next call.
void Http2::append_outgoing(std::string& say) {
  if (!state_->session) return;
  const std::uint8_t* bytes = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(state_->session.get(), &bytes)) > 0;)
    say.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  state_->notice_the_end();
}

void Http2::ping() {
  if (!state_->session) return;
  nghttp2_submit_ping(state_->session.get(), NGHTTP2_FLAG_NONE, nullptr);
  state_->tell_outgoing();
}

void Http2::end(const Error& why) {
  if (!state_->failed) state_->failed = why;
  while (!state_->calls.empty()) {
    Call& call = **state_->calls.begin();
    if (call.stream_ >= 0 && state_->session)
      nghttp2_session_set_stream_user_data(state_->session.get(), call.stream_, nullptr);
    call.finish({.how = CallEnd::How::lost, .status = {}, .why = why});
  }
}

Http2::Call::Call(Http2& connection, std::string_view path, std::span<const Metadata> metadata,
                  std::string_view message, Kind kind, std::move_only_function<void()> tell)
    : connection_(connection.state_.get()),
      kind_(kind),
      tell_(std::move(tell)),
      outgoing_(framed(message)),
      says_more_(kind == Kind::lasting),
      incoming_(connection_->options.largest_message) {
  const Http2Options& options = connection_->options;
  std::vector<nghttp2_nv> headers{
      field(":method", "POST"),     field(":scheme", options.within_tls ? "https" : "http"),
      field(":path", path),         field(":authority", options.authority),
      field("te", "trailers"),      field("content-type", "application/grpc"),
      field("user-agent", "belfry")};
  for (const auto& [name, value] : metadata) headers.push_back(field(name, value));
  if (!connection_->failed && !connection_->going_away) {
    const nghttp2_data_provider provider{{.ptr = nullptr}, &State::read_body};
    stream_ = nghttp2_submit_request(connection_->session.get(), nullptr, headers.data(), headers.size(),
                                     &provider, this);
  }
  if (stream_ < 0) {
    const Error why = connection_->failed.value_or(Error::failed("the server takes no more calls"));
    end_ = CallEnd{.how = CallEnd::How::not_taken, .status = {}, .why = why};
    return;
  }
  connection_->calls.insert(this);
  if (kind_ == Kind::short_one) ++connection_->short_calls;
  connection_->tell_outgoing();
}

Http2::Call::~Call() {
  if (end_) return;
  nghttp2_session* const session = connection_->session.get();
  nghttp2_session_set_stream_user_data(session, stream_, nullptr);
  nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream_, NGHTTP2_CANCEL);
  tell_ = nullptr;
  finish({});
  connection_->tell_outgoing();
}

void Http2::Call::finish(CallEnd end) {
  end_ = std::move(end);
  connection_->calls.erase(this);
  if (kind_ == Kind::short_one) --connection_->short_calls;
  if (tell_) tell_();
}

void Http2::Call::send(std::string_view message) {
  if (end_ || !says_more_) return;
  outgoing_ += framed(message);
  nghttp2_session_resume_data(connection_->session.get(), stream_);
  connection_->tell_outgoing();
}

std::optional<std::string> Http2::Call::take() {
  std::optional<std::string> message = incoming_.take();
  if (message && !end_) {
    consume();
    connection_->tell_outgoing();
  }
  return message;
}

// While whole messages wait here, the server is not told that there is room for more.
void Http2::Call::consume() {
  if (incoming_.has_messages() || unconsumed_ == 0) return;
  nghttp2_session_consume_stream(connection_->session.get(), stream_, std::exchange(unconsumed_, 0));
}

}  // namespace belfry::daemon::etcd
