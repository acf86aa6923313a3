// Where a stack's things stand in etcd. All of one stack is below one prefix, so that one role covers it:
//
//   belfry/NAME/s/SERVICE/h/HOST   it is ready there
//   belfry/NAME/s/SERVICE/r/HOST   that host has leave to take it down
//   belfry/NAME/w/SERVICE/h/HOST   why it is not ready there, in the words of that belfry
//
// Each is there for as long as it is so, under the lease of the belfry of that host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::daemon::cluster {

enum class KeyKind : std::uint8_t { publication, reservation, words };

// Views into the key.
struct KeyParts {
  KeyKind kind = KeyKind::publication;
  std::string_view service;
  std::string_view host;
};

class Keys {
 public:
  explicit Keys(std::string_view name) : prefix_("belfry/" + std::string(name) + "/") {}

  [[nodiscard]] const std::string& all() const { return prefix_; }
  // Whatever is known of a service but for words: that is for people.
  [[nodiscard]] std::string below(std::string_view service) const;
  [[nodiscard]] std::string of_service(KeyKind kind, std::string_view service) const;
  [[nodiscard]] std::string of_host(KeyKind kind, std::string_view service, std::string_view host) const;
  // Nothing: it is none of belfry's.
  [[nodiscard]] std::optional<KeyParts> parse(std::string_view key) const;

 private:
  std::string prefix_;
};

}  // namespace belfry::daemon::cluster
