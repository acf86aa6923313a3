// Reads server-sent events out of the pieces in which they come (HTML Living Standard, section 9.2). No
// socket: whoever has one does the waiting.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::client {

struct StreamMessage {
  std::string id;    // the last one that was said
  std::string type;  // empty: a message of no particular type
  std::string data;
};

// Owner: whoever asked. Lifecycle: one stream. Bounded: a line of 2 MiB; what is longer is left out.
class EventReader {
 public:
  // The messages that are complete with these bytes.
  std::vector<StreamMessage> take(std::string_view bytes);
  [[nodiscard]] const std::string& last_id() const { return id_; }

 private:
  void take_line(std::string_view line, std::vector<StreamMessage>& complete);

  static constexpr std::size_t longest_line = std::size_t{2} << 20;
  std::string line_;
  std::string id_, type_, data_;
  bool has_data_ = false;
  bool too_long_ = false;
};

}  // namespace belfry::client
