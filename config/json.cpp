#include "config/json.hpp"

namespace belfry::config {

std::string json_string(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (byte < 0x20 || byte == 0x7F)
          out.append("\\u00").append({digits[byte >> 4U], digits[byte & 15U]});
        else
          out += c;
    }
  }
  return out += '"';
}

}  // namespace belfry::config
