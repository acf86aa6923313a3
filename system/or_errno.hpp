// A value, or the errno of what kept it from being: what the small files of this folder return, and never set
// errno. Whoever calls knows what it was for, and says so in words.
#pragma once

#include <expected>

namespace belfry::system {

template <class T>
using OrErrno = std::expected<T, int>;

}  // namespace belfry::system
