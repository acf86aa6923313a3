#include "probes/protocols/memcached_version.hpp"

namespace belfry::probes {

namespace {

constexpr std::size_t longest_line = 1024;

Error what_else(std::string_view line) {
  // One with an authentication file answers nothing else before a user has been named.
  if (line == "CLIENT_ERROR unauthenticated") return Error::failed("it asks for a user and a password");
  if (line == "ERROR" || line.starts_with("CLIENT_ERROR ") || line.starts_with("SERVER_ERROR "))
    return Error::failed("it answered " + quoted(line));
  return not_speaking("memcached's protocol", line);
}

}  // namespace

Result<Dialogue::Step> MemcachedVersion::begin(std::string& say) {
  lines_.clear();
  say += "version\r\n";
  return Step::listen;
}

Result<Dialogue::Step> MemcachedVersion::ended() {
  return lines_.rest().empty() ? Dialogue::ended() : std::unexpected(what_else(lines_.rest()));
}

Result<Dialogue::Step> MemcachedVersion::hear(std::string_view bytes, std::string&) {
  lines_.add(bytes);
  if (const auto line = lines_.next()) {
    if (line->size() <= longest_line && line->starts_with("VERSION ")) return Step::done;
    return std::unexpected(what_else(*line));
  }
  if (lines_.rest().size() > longest_line) return std::unexpected(what_else(lines_.rest()));
  return Step::listen;
}

}  // namespace belfry::probes
