// Everything that the lines of one service go to: whoever keeps the last of them, belfry's own output,
// a file, log daemons.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/logs/lines.hpp"
#include "daemon/logs/pump.hpp"

namespace belfry::daemon {

// Owner: the resources of the service. Lifecycle: outlives the service's pipes; the pumps and who keeps
// the lines outlive it. What it holds when it goes is written all the same.
class LogOutputs final : public LineSink {
 public:
  // `kept`: who is given every line besides; null: nobody.
  explicit LogOutputs(LineSink* kept = nullptr) : kept_(kept) {}
  ~LogOutputs();
  LogOutputs(const LogOutputs&) = delete;
  LogOutputs& operator=(const LogOutputs&) = delete;

  // `use`: what tells that the pump is used; it goes with this.
  void add_output(LogPump& pump, std::string_view name, LineStyle style, std::shared_ptr<void> use = nullptr);
  void add(const LogText& text, const LineOrigin& origin) override;

  // How many bytes are read at once, so that what is made of them fits into what is held.
  [[nodiscard]] std::size_t most_to_read() const { return most_to_read_; }
  // Whether more can be read in the same turn.
  [[nodiscard]] bool has_room() const;
  // What is added now are the last words of a writer: nothing of them is dropped that a pipe can hold.
  void begin_last_words();

  // Whether one of the outputs wants `source`, which has just been read, not to be read now (LogPump::rests).
  bool rests(LogSource& source, bool floods);
  void forget_source(LogSource& source);

  // Lines that no output was fast enough for, one for each output, in all.
  [[nodiscard]] std::uint64_t lines_lost() const;
  // Called with how many more.
  std::function<void(std::uint64_t)> on_lost;

 private:
  struct Output {
    std::shared_ptr<void> use;
    LogPump& pump;
    LogLines lines;
  };
  LineSink* kept_;
  std::size_t most_to_read_ = std::size_t{64} << 10;
  std::vector<std::unique_ptr<Output>> outputs_;
};

}  // namespace belfry::daemon
