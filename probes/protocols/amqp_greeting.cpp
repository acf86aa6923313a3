#include "probes/protocols/amqp_greeting.hpp"

#include <cstddef>
#include <cstdint>

#include "probes/protocols/server_words.hpp"

namespace belfry::probes {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view header = "AMQP\0\0\x09\x01"sv;
constexpr std::string_view start_frame = "\x01\0\0"sv;             // a method, on channel 0
constexpr std::string_view start_method = "\0\x0A\0\x0A\0\x09"sv;  // Connection.Start, version 0-9
constexpr std::size_t frame_head = 7;                              // type, channel, size
constexpr char frame_end = '\xCE';
constexpr std::size_t first_words = 5;  // tell who speaks, if it is somebody else
// RabbitMQ's has about 500 bytes; the rest is for its lists of mechanisms and languages.
constexpr std::size_t largest_frame = std::size_t{64} << 10;

Error other(std::string_view said) { return not_speaking("AMQP 0-9-1", said); }

std::size_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

// Who does not speak what was asked for says what he does, and closes (4.2.2): "AMQP", the number of a
// protocol (AMQP 1.0 has several: plain, TLS, SASL), major, minor and revision.
Error other_version(std::string_view said) {
  const std::string_view version = said.substr(5);
  if (version == "\x01\0\0"sv) return Error::failed("it speaks AMQP 1.0 and not AMQP 0-9-1");
  std::string numbers;
  for (std::size_t at = 4; at < header.size(); ++at)
    numbers += (at == 4 ? "" : "-") + std::to_string(byte_at(said, at));
  return Error::failed("it speaks AMQP " + numbers + " and not AMQP 0-9-1 (0-0-9-1)");
}

// Whether a long text (its length in four bytes, then itself) stands at `at`, which moves behind it.
bool skip_long(std::string_view method, std::size_t& at) {
  if (method.size() - at < 4) return false;
  std::size_t length = 0;
  for (const std::size_t end = at + 4; at < end; ++at) length = length << 8U | byte_at(method, at);
  if (method.size() - at < length) return false;
  at += length;
  return true;
}

// The properties of the server, its mechanisms, its languages, and nothing else.
bool is_start(std::string_view method) {
  std::size_t at = start_method.size();
  return method.starts_with(start_method) && skip_long(method, at) && skip_long(method, at) &&
         skip_long(method, at) && at == method.size();
}

}  // namespace

Result<Dialogue::Step> AmqpGreeting::ended() {
  return unread_.empty() ? Dialogue::ended() : std::unexpected(other(unread_));
}

Result<Dialogue::Step> AmqpGreeting::begin(std::string& say) {
  unread_.clear();
  say += header;
  return Step::listen;
}

Result<Dialogue::Step> AmqpGreeting::hear(std::string_view bytes, std::string&) {
  unread_ += bytes.substr(0, largest_frame + frame_head + 1 - unread_.size());
  const std::string_view said = unread_;
  if (said.starts_with(header.substr(0, 4))) {
    if (said.size() < header.size()) return Step::listen;
    return std::unexpected(other_version(said));
  }
  if (said.size() >= first_words && !said.starts_with(start_frame)) return std::unexpected(other(said));
  if (said.size() < frame_head) return Step::listen;
  std::size_t size = 0;
  for (std::size_t at = start_frame.size(); at < frame_head; ++at) size = size << 8U | byte_at(said, at);
  if (size > largest_frame) return std::unexpected(other(said));
  if (said.size() <= frame_head + size) return Step::listen;
  if (said[frame_head + size] != frame_end || !is_start(said.substr(frame_head, size)))
    return std::unexpected(other(said));
  return Step::done;
}

}  // namespace belfry::probes
