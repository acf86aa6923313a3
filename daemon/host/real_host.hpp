// The machine that belfry runs on, as validation asks about it (config/validate/host).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/validate/host.hpp"
#include "system/sock_diag.hpp"

namespace belfry::daemon {

// It may block on the file system and on NSS, so it is asked before there is a loop. One serves one load of a
// file: what it has looked up of users it does not look up again.
class RealHost final : public config::Host {
 public:
  // `ask_for_ports`: `check` does. A start finds out by itself, and says it where it matters.
  explicit RealHost(bool ask_for_ports) : ask_for_ports_(ask_for_ports) {}

  std::string why_no_such_user(Who who) override;
  bool is_file(const std::string& path) override;
  std::string why_not_executable(const std::string& path, Who who) override;
  std::string searched_interpreter(const std::string& path) override;
  std::string why_no_directory(const std::string& path, Who who) override;
  std::string why_not_readable(const std::string& path) override;
  std::string why_not_appendable(const std::string& path) override;
  std::string why_no_socket(const std::string& path) override;
  std::string why_port_taken(bool udp, const std::string& address, std::uint16_t port,
                             std::string_view stack) override;
  [[nodiscard]] std::string_view default_path() const override;
  std::vector<Refusal> what_is_refused(const config::Service& service) override;  // rights.cpp

 private:
  struct Account {
    uid_t uid = 0;
    std::vector<gid_t> groups;
    std::string why_not;
  };
  const Account& account(Who who);
  // Tried once. Empty: they can be made.
  const std::string& why_no_namespaces(bool mounts, bool network);
  void of_namespaces(const config::ServiceExtras& extras, std::vector<Refusal>& out);

  bool ask_for_ports_;
  std::map<std::string, Account> accounts_;               // by "user:group"
  std::array<std::optional<std::string>, 4> namespaces_;  // why not; unset: not tried yet
  system::SockDiag sockets_;
};

// For `ports: free` (config/decode/free_ports.hpp).
[[nodiscard]] std::vector<std::uint16_t> free_ports(std::size_t count);

}  // namespace belfry::daemon
