#include "probes/output_tail.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "channels/asio.hpp"
#include "system/file_facts.hpp"
#include "system/pipe.hpp"
#include "text/escape.hpp"

namespace belfry::probes {

namespace {

constexpr int most_reads_at_the_end = 16;  // a pipe may hold 1 MiB (proc(5), pipe-max-size)
constexpr std::size_t longest_in_a_message = 200;

std::string_view last_words(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t end = text.find_last_not_of(blanks);
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const std::size_t line = text.find_last_of('\n');
  if (line != std::string_view::npos) text.remove_prefix(line + 1);
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text;
}

}  // namespace

// Shared with Asio's pending handler, so that either may go first.
struct OutputTail::State : std::enable_shared_from_this<State> {
  State(Loop& loop, int fd) : descriptor(loop.executor(), fd) {}

  void arm() {
    descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                          [self = shared_from_this()](const error_code& error) {
                            if (!error && self->descriptor.is_open() && self->read_once()) self->arm();
                          });
  }

  // One read an event, so that a flood keeps nobody else waiting. False when there is no more.
  bool read_once() {
    static std::array<char, std::size_t{64} << 10> buffer;
    const ssize_t result = system::read_some(descriptor.native_handle(), buffer);
    if (result <= 0) return result == -EAGAIN || result == -EINTR;
    const auto got = static_cast<std::size_t>(result);
    const std::size_t kept = std::min(got, most_kept);
    text.append(buffer.data() + got - kept, kept);
    if (text.size() > most_kept) text.erase(0, text.size() - most_kept);
    there_was_some = true;
    return true;
  }

  asio::posix::basic_stream_descriptor<Executor> descriptor;
  std::string text;
  bool there_was_some = false;
};

OutputTail::OutputTail(Loop& loop) : loop_(loop) {}

OutputTail::~OutputTail() {
  if (!state_) return;
  error_code ignored;
  state_->descriptor.close(ignored);
}

Result<void> OutputTail::apply(system::Launch& launch) {
  auto made = system::make_pipe();
  if (!made)
    return std::unexpected(Error::from_errno(made.error(), "cannot make a pipe for the output of a probe"));
  write_end_ = std::move(made->write_end);
  state_ = std::make_shared<State>(loop_, made->read_end.release());
  state_->arm();
  launch.standard_output = launch.standard_error = write_end_.get();
  return {};
}

ino_t OutputTail::inode() const { return write_end_ ? system::inode_of(write_end_.get()) : 0; }

std::string OutputTail::last_line() {
  if (!state_) return {};
  for (int reads = 0; reads < most_reads_at_the_end; ++reads) {
    state_->there_was_some = false;
    if (!state_->read_once() || !state_->there_was_some) break;
  }
  std::string line = text::visible(last_words(state_->text).substr(0, longest_in_a_message));
  return line.empty() ? line : ": " + line;
}

}  // namespace belfry::probes
