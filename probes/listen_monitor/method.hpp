// Which services get a notifier, and the words for why the others do not.
#pragma once

#include <string_view>

#include "config/model/model.hpp"
#include "system/seccomp_listen.hpp"

namespace belfry::probes {

// Whether a probe of this service waits for a socket of its own: `port` or `unix`, in `ready` or a bell.
[[nodiscard]] bool awaits_listen(const config::Service& service);
// …for one that is bound only.
[[nodiscard]] bool awaits_bind(const config::Service& service);

// Why no notifier is to be tried; empty: try. `below_shim`: belfry does not start it itself
// (system/subreaper_shim.hpp).
[[nodiscard]] std::string_view why_no_notifier(const config::Service& service, config::OnDaemonDeath on_death,
                                               const system::ListenNotifierRights& rights, bool below_shim);

// The words for what the spawn answered, errno or system::no_shared_table.
[[nodiscard]] std::string_view why_notifier_refused(int errnum);
// Whether the next service would be refused as well: of no use to try again.
[[nodiscard]] bool is_refused_for_good(int errnum);

}  // namespace belfry::probes
