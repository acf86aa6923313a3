#include "daemon/service/outputs.hpp"

#include <algorithm>

#include "config/model/output_reference.hpp"
#include "text/utf8.hpp"

namespace belfry::daemon {

namespace {

bool is_value(std::string_view value) {
  constexpr std::string_view ends_of_lines("\0\r\n", 3);
  return value.size() <= config::longest_output_value &&
         value.find_first_of(ends_of_lines) == std::string_view::npos && text::is_utf8(value);
}

}  // namespace

std::optional<NotifyRefusal> Outputs::set(std::string_view key, std::string_view value) {
  if (!config::is_output_key(key) || !is_value(value)) return NotifyRefusal::bad_output;
  const auto known = std::ranges::find(all_, key, &Output::key);
  if (known != all_.end() && known->value == value) return std::nullopt;
  if (closed_ || (known != all_.end() && known->fixed)) return NotifyRefusal::late_output;
  const std::size_t freed = known == all_.end() ? 0 : known->value.size();
  const std::size_t taken = value.size() + (known == all_.end() ? key.size() : 0);
  if (bytes_ - freed + taken > most_bytes) return NotifyRefusal::too_many_outputs;
  if (known == all_.end() && all_.size() == config::most_outputs) return NotifyRefusal::too_many_outputs;
  bytes_ = bytes_ - freed + taken;
  if (known == all_.end())
    all_.push_back({.key = std::string(key), .value = std::string(value)});
  else
    known->value = value;
  return std::nullopt;
}

void Outputs::renew(OutputList all) {
  all_.clear();
  bytes_ = 0;
  for (auto& [key, value] : all) {
    const std::size_t size = key.size() + value.size();
    if (all_.size() == config::most_outputs || !is_value(value) || bytes_ + size > most_bytes) continue;
    bytes_ += size;
    all_.push_back({.key = std::move(key), .value = std::move(value), .fixed = true});
  }
}

void Outputs::fix(bool last) {
  for (Output& one : all_) one.fixed = true;
  closed_ = closed_ || last;
}

const Outputs::Output* Outputs::find(std::string_view key) const {
  const auto found = std::ranges::find(all_, key, &Output::key);
  return found == all_.end() ? nullptr : &*found;
}

}  // namespace belfry::daemon
