// Names of services that a file uses as names of hosts, as containers can.
#pragma once

#include <string>
#include <string_view>

#include "config/import/writer.hpp"

namespace belfry::config {

// The first service of `services` that `value` names as a host: `db:5432`, `//db/`, `@db/`; or as a
// whole or an item of a list, where the name of the `variable` says that it holds a host. The defaults of
// variables are looked at as well. Empty if there is none.
[[nodiscard]] std::string host_in(std::string_view variable, std::string_view value, const Names& services);

}  // namespace belfry::config
