// Whether a sanitiser is built in: then everything takes several times as long.
#pragma once

namespace belfry::test {

#if defined(__has_feature)
constexpr bool is_instrumented = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool is_instrumented = false;
#endif

}  // namespace belfry::test
