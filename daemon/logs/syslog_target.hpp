// Lines to the syslog daemon of this machine, as syslog(3) sends them: "<PRI>Mmm dd hh:mm:ss TAG: TEXT". That
// is what listens at /dev/log everywhere (journald, rsyslog, syslog-ng, busybox); RFC 5424 is what they speak
// among each other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/logs/log_record.hpp"
#include "system/local_datagrams.hpp"
#include "system/output_target.hpp"

namespace belfry::daemon {

// The datagrams of one line: TAG is "NAME[INCARNATION]"; a long line takes several, as receivers cut at 8
// KiB. Pure but for the local time zone.
[[nodiscard]] std::vector<std::string> syslog_messages(const LogRecord& record);

// Owner: its pump's writer. What it is given are records (LineStyle::Form::record).
class SyslogTarget final : public system::OutputTarget {
 public:
  explicit SyslogTarget(std::string path) : socket_(std::move(path)) {}

  ssize_t write(std::string_view lines) override;
  std::string marker(std::uint64_t lines, std::string_view why) override;

 private:
  system::LocalDatagrams socket_;
};

}  // namespace belfry::daemon
