// A broken rule of use ends the process at once, and names the object: in release builds too.
#pragma once

#include <string_view>

namespace belfry::detail {

// Prints "belfry: cannot <what> '<name>': <why>" on stderr.
void say(std::string_view what, std::string_view name, std::string_view why) noexcept;

// The same, and aborts. Meant for bugs, never for things that can happen in a correct program.
[[noreturn]] void die(std::string_view what, std::string_view name, std::string_view why) noexcept;

// "cannot put into a list 'link': it is in one already". Short, because it stands wherever a list is used.
[[noreturn, gnu::cold]] void die_in_two_lists() noexcept;

// True while a loop on this thread destroys its frames. Waiters that are destroyed then touch
// nothing but themselves: what they waited for may be gone already.
inline thread_local bool abandoning = false;

}  // namespace belfry::detail
