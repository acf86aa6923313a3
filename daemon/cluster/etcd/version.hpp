// Which versions of etcd are known to lose what belfry relies on.
#pragma once

#include <string>
#include <string_view>

namespace belfry::daemon::etcd {

// Empty: there is nothing to remark. Else a sentence for people; `version` is what a member says of itself.
[[nodiscard]] std::string remark_on_version(std::string_view version);

}  // namespace belfry::daemon::etcd
