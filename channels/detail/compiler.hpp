// Refuses compilers that miscompile coroutines, in whatever build they include this.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#if __GNUC__ < 13
#error \
    "cannot use channels with GCC 12 or older: it miscompiles coroutines (a temporary inside a co_await statement is destroyed twice). Use Clang 19."
#elif !defined(BELFRY_TRY_GCC)
#error \
    "cannot use channels with GCC: it is not tested, and GCC 12 miscompiles coroutines. Use Clang 19, or define BELFRY_TRY_GCC to try a newer GCC at your own risk."
#endif
#endif
