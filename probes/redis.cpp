// `redis: host:port`, a URL or the path of a socket: true when PING is answered.
#include <charconv>

#include "config/document/confidential.hpp"
#include "probes/protocols/redis_ping.hpp"
#include "probes/server_probe.hpp"

namespace belfry::probes {

namespace {

constexpr std::uint16_t default_port = 6379;

// "/run/redis.sock", "unix:/run/redis.sock", "unix:///run/redis.sock"; empty: it is none of these.
std::string socket_of(std::string_view text) {
  if (text.starts_with("unix:")) text.remove_prefix(std::string_view("unix:").size());
  if (text.starts_with("///")) text.remove_prefix(2);
  return text.starts_with('/') ? std::string(text) : std::string();
}

// Empty is the first. False: it is no number.
bool read_database(std::string_view path, std::uint32_t& database) {
  if (path.empty()) return true;
  const auto [end, failed] = std::from_chars(path.data(), path.data() + path.size(), database);
  return failed == std::errc() && end == path.data() + path.size();
}

}  // namespace

Made make_redis(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  ServerAddress server;
  server.target.socket_path = socket_of(spec.target);
  if (server.target.socket_path.empty()) {
    auto parsed = parse_server(spec.target, "redis", default_port);
    if (!parsed) return std::unexpected(parsed.error());
    server = std::move(*parsed);
  }
  RedisLogin login{.user = server.user, .password = server.password};
  if (!read_database(server.path, login.database))
    return std::unexpected(
        Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) +
                                        ": what stands behind the host is not the number of a database"));
  return make_server_probe(means, spec, about, server, "cannot ping redis at " + server.target.text(),
                           std::make_unique<RedisPing>(std::move(login)));
}

}  // namespace belfry::probes
