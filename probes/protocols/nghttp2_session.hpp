// What every client of libnghttp2 begins with: its objects by owner, a header field, and how much is borne of
// a peer before it is taken for something else.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace belfry::probes::nghttp2 {

// SETTINGS and PING have to be acknowledged; who sends so many of them wants something else.
inline constexpr std::size_t most_acknowledgements = 32;
inline constexpr std::size_t frame_type_at = 3;  // behind the length (RFC 9113, 4.1)
inline constexpr std::size_t first_words = 5;    // tell who speaks, if it is somebody else

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* held) const {
    release(held);
  }
};
using Session = std::unique_ptr<nghttp2_session, Releaser<nghttp2_session_del>>;
using Callbacks = std::unique_ptr<nghttp2_session_callbacks, Releaser<nghttp2_session_callbacks_del>>;
using Options = std::unique_ptr<nghttp2_option, Releaser<nghttp2_option_del>>;

// Both texts are copied when they are submitted.
[[nodiscard]] inline nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace belfry::probes::nghttp2
