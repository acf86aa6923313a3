#include "daemon/notify_message.hpp"

namespace belfry::daemon {

namespace {

Error refused(const char* why) {
  return Error(Error::Kind::invalid, std::string("cannot take a notify message: ") + why);
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80U) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace

Result<NotifyMessage> parse_notify_message(std::string_view datagram) {
  if (datagram.size() > longest_notify_message)
    return std::unexpected(refused("it is longer than 4096 bytes"));
  if (!datagram.empty() && datagram.back() == '\0') datagram.remove_suffix(1);
  if (datagram.find('\0') != std::string_view::npos) return std::unexpected(refused("it contains a NUL"));
  NotifyMessage message;
  while (!datagram.empty()) {
    const std::size_t end = datagram.find('\n');
    const std::string_view line = datagram.substr(0, end);
    datagram.remove_prefix(end == std::string_view::npos ? datagram.size() : end + 1);
    if (line == "READY=1") message.ready = true;
    if (line == "STOPPING=1") message.stopping = true;
    if (line == "RELOADING=1") message.reloading = true;
    if (line.starts_with("STATUS=")) {
      if (!is_utf8(line)) return std::unexpected(refused("STATUS is not UTF-8"));
      message.status = std::string(line.substr(7));
    }
  }
  return message;
}

}  // namespace belfry::daemon
