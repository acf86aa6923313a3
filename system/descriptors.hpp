// belfry's own descriptors: the standard three exist, and the limit is as high as it may be.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace belfry::system {

// Opens /dev/null on whichever of 0, 1, 2 was closed at entry, so that no socket ever becomes "stdout".
// Call it first in main, before anything opens a descriptor.
void ensure_standard_descriptors();

// /dev/null, close-on-exec. In a root without one, an empty file in memory that stays so: it reads as an end,
// and what is written to it is refused (EPERM). -1 with errno.
[[nodiscard]] int open_null();

// Raises the soft limit to the hard one. Children get the old one back.
void raise_descriptor_limit();

// How many may be open at once (RLIMIT_NOFILE, the soft limit).
[[nodiscard]] std::size_t descriptor_limit();

// Lets the table of descriptors grow to `count` now, as far as the limit allows. Call it before a second
// thread runs: a table that threads share waits for every processor whenever it grows (synchronize_rcu in
// the kernel's expand_fdtable; 20 ms each time were seen), one that is not shared just grows.
void make_room_for_descriptors(std::size_t count);

// Whether so many more can be opened now: 0, or the errno of what forbids it (EMFILE, ENFILE).
[[nodiscard]] int why_not_open(std::size_t count);

// What to do about EMFILE, to go behind a message.
inline constexpr std::string_view how_to_raise_the_limit =
    " (raise belfry's limit of open files: LimitNOFILE=, ulimit -n)";

// The limit before raise_descriptor_limit() changed it; empty when it did not.
std::optional<rlimit> entry_descriptor_limit();

}  // namespace belfry::system
