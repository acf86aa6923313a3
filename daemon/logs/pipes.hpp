// What a service writes to: one pipe, or one for each of its streams where they are to be told apart.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/logs/pipe.hpp"

namespace belfry::daemon {

// Owner: the resources of the service. Lifecycle and contract: as of LogPipe.
class LogPipes {
 public:
  LogPipes(system::Poller& poller, LogOutputs& outputs, LogPipeOptions options, bool apart)
      : output_(poller, outputs, with(options, apart ? LogStream::standard_output : LogStream::output)) {
    if (apart) errors_.emplace(poller, outputs, with(options, LogStream::standard_error));
  }

  // For the next run: standard output, and standard error where it has a pipe of its own.
  struct WriteEnds {
    system::OwnedFd output, errors;
  };
  Result<WriteEnds> open_write_ends() {
    auto output = output_.open_write_end();
    if (!output) return std::unexpected(output.error());
    WriteEnds ends{.output = std::move(*output), .errors = {}};
    if (!errors_) return ends;
    auto errors = errors_->open_write_end();
    if (!errors) return std::unexpected(errors.error());
    ends.errors = std::move(*errors);
    return ends;
  }

  void begin_run(std::uint64_t incarnation) {
    each([&](LogPipe& pipe) { pipe.begin_run(incarnation); });
  }
  void drain() {
    each([](LogPipe& pipe) { pipe.drain(); });
  }
  void drain_last_words() {
    each([](LogPipe& pipe) { pipe.drain_last_words(); });
  }
  // What was read last, at least the last 2 KiB of each if there were so many, and forgets it.
  [[nodiscard]] std::string take_last_words() {
    std::string words = output_.take_last_words();
    if (errors_) words += errors_->take_last_words();
    return words;
  }
  void tell(LineListener* listener) {
    each([&](LogPipe& pipe) { pipe.tell(listener); });
  }
  [[nodiscard]] ino_t inode() const { return output_.inode(); }
  [[nodiscard]] bool is_open() const { return output_.is_open() || (errors_ && errors_->is_open()); }

 private:
  static LogPipeOptions with(LogPipeOptions options, LogStream stream) {
    options.stream = stream;
    return options;
  }
  template <class F>
  void each(F f) {
    f(output_);
    if (errors_) f(*errors_);
  }

  LogPipe output_;
  std::optional<LogPipe> errors_;
};

}  // namespace belfry::daemon
