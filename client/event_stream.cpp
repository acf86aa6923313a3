#include "client/event_stream.hpp"

#include <algorithm>
#include <utility>

namespace belfry::client {

// belfry ends its lines with LF; a CR before it is allowed, one without is not written by anybody.
std::vector<StreamMessage> EventReader::take(std::string_view bytes) {
  std::vector<StreamMessage> complete;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    too_long_ = too_long_ || line_.size() + part.size() > longest_line;
    if (!too_long_) line_ += part;
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    if (!std::exchange(too_long_, false)) take_line(line_, complete);
    line_.clear();
  }
  return complete;
}

void EventReader::take_line(std::string_view line, std::vector<StreamMessage>& complete) {
  if (line.empty()) {
    if (std::exchange(has_data_, false))
      complete.push_back({.id = id_, .type = std::move(type_), .data = std::move(data_)});
    type_.clear();
    data_.clear();
    return;
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "id") {
    id_ = value;
  } else if (field == "event") {
    type_ = value;
  } else if (field == "data") {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value.substr(0, longest_line - std::min(longest_line, data_.size()));
  }
}

}  // namespace belfry::client
