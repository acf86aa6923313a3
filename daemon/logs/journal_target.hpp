// Lines to systemd's journal, by its native protocol (systemd's docs, "Native Journal Protocol"): a datagram
// a line, with the service, its incarnation and the stream as fields of their own.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "daemon/logs/log_record.hpp"
#include "system/local_datagrams.hpp"
#include "system/output_target.hpp"

namespace belfry::daemon {

// MESSAGE, PRIORITY, SYSLOG_IDENTIFIER (the service), BELFRY_STACK, BELFRY_SERVICE, BELFRY_INCARNATION,
// BELFRY_STREAM.
[[nodiscard]] std::string journal_entry(const LogRecord& record, std::string_view stack);

// Owner: its pump's writer. What it is given are records (LineStyle::Form::record).
class JournalTarget final : public system::OutputTarget {
 public:
  JournalTarget(std::string path, std::string stack) : socket_(std::move(path)), stack_(std::move(stack)) {}

  ssize_t write(std::string_view lines) override;
  std::string marker(std::uint64_t lines, std::string_view why) override;
  void ask_to_reopen() override { reopen_ = true; }

 private:
  system::LocalDatagrams socket_;
  std::string stack_;
  std::atomic<bool> reopen_ = false;
};

}  // namespace belfry::daemon
