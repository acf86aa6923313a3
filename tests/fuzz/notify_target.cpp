// A datagram of sd_notify, from anybody.
#include <cstdlib>

#include "config_targets.hpp"
#include "daemon/notify/message.hpp"

namespace belfry::fuzz {

void notify(std::string_view bytes) {
  const auto message = daemon::parse_notify_message(bytes);
  if (!message) return;
  if (bytes.size() > daemon::longest_notify_message) std::abort();
  const daemon::NotifyMessage& m = *message;
  // A barrier stands alone, a process has a number, and what is passed on as a name fits into LISTEN_FDNAMES.
  if (m.barrier && (m.ready || m.stopping || m.status || m.main_pid || m.store_descriptors)) std::abort();
  if (m.main_pid && *m.main_pid <= 1) std::abort();
  if (m.descriptor_name.size() > 255 || m.descriptor_name.find_first_of(":\n") != std::string::npos)
    std::abort();
  const TimePoint now = Clock::now();
  for (const auto& duration : {m.watchdog_interval, m.extend_timeout})
    if (duration && now + *duration < now) std::abort();
}

}  // namespace belfry::fuzz
