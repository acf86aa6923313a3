// An address written in numbers as the kernel takes it. No name is looked up: getaddrinfo(3) does not do for
// that, because in a static program it brings NSS along even where it is told not to ask it.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace belfry::system {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

// `host` as inet_aton(3) takes it (AF_INET), or as inet_pton(3) does with an optional %interface (AF_INET6);
// `*` is every address of the family. Nothing for names, and for the other family's addresses.
[[nodiscard]] std::optional<SocketAddress> numeric_address(int family, const std::string& host,
                                                           std::uint16_t port);

}  // namespace belfry::system
