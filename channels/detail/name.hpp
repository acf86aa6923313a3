// The name of a primitive, which is there for as long as the primitive is.
//
// The problem: a name is read when something has gone wrong, long after it was given. Names are nearly always
// literals, which cost nothing to keep; a name that was put together (a std::string's c_str()) is gone by
// then, and garbage would be printed. A name that is part of the program's own image is kept as it is, any
// other one is copied.
#pragma once

#include <cstdint>

// The linker's own, ld(1): first and last byte of the program. Weak: without them (in a shared library) every
// name is copied.
extern "C" {
[[gnu::weak]] extern const char __executable_start;  // NOLINT(bugprone-reserved-identifier)
[[gnu::weak]] extern const char _end;                // NOLINT(bugprone-reserved-identifier)
}

namespace belfry::detail {

// Literals and whatever else is there from the program's start to its end.
inline bool is_part_of_program(const void* address) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(&__executable_start);
  const auto end = reinterpret_cast<std::uintptr_t>(&_end);
  return begin != 0 && reinterpret_cast<std::uintptr_t>(address) - begin < end - begin;
}

// The same name, or a copy of it: release_name() when it is not needed any more.
const char* copy_name(const char* name) noexcept;
void drop_name(const char* copy) noexcept;

inline const char* keep_name(const char* name) noexcept {
  return is_part_of_program(name) ? name : copy_name(name);
}
inline void release_name(const char* kept) noexcept {
  if (!is_part_of_program(kept)) [[unlikely]]
    drop_name(kept);
}

}  // namespace belfry::detail
