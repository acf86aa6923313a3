// Compressing a file, or a text, and the way back (RFC 1952). All take a while: not for the loop's thread.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace belfry::system {

// Everything that can be read from one descriptor into another one. 0, or errno; ECANCELED when `given_up`,
// which is looked at every 64 KiB.
[[nodiscard]] int gzip(int from, int into, const std::atomic<bool>& given_up);

// As fast as that goes. Empty: there is no memory for it.
[[nodiscard]] std::string gzip(std::string_view text);

// The text again. Empty: that was none that somebody has compressed, or there is no memory for it.
[[nodiscard]] std::string gunzip(std::string_view packed);

}  // namespace belfry::system
