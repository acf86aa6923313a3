// What only the machine can tell of the things a file names: programs, directories, users, ports.
//
// Validation itself is pure; whoever wants to know whether a file can work *here* gives it a Host
// (LoadOptions::host). The real one asks the kernel and the user database (daemon/host/real_host); tests
// and fuzzers have a fake, or none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/model.hpp"

namespace belfry::config {

// Every answer is half a sentence ("does not exist"), empty where nothing is wrong or nobody can tell.
// Owner: the caller of load(). Lifecycle: one load or more. Cancellation: none; answers may block on the
// file system and on NSS.
class Host {
 public:
  virtual ~Host() = default;

  // Whom a service runs as: names or numbers as written; empty: belfry's own.
  struct Who {
    std::string_view user, group;
  };

  virtual std::string why_no_such_user(Who who) = 0;
  virtual bool is_file(const std::string& path) = 0;
  // Also says what is wrong with the interpreter of a script.
  virtual std::string why_not_executable(const std::string& path, Who who) = 0;
  // The program that `#!/usr/bin/env NAME` in the first line of a script searches in PATH; empty: none.
  virtual std::string searched_interpreter(const std::string& path) = 0;
  virtual std::string why_no_directory(const std::string& path, Who who) = 0;
  virtual std::string why_not_readable(const std::string& path) = 0;
  // Why belfry itself cannot append to a file of this path, or make it.
  virtual std::string why_not_appendable(const std::string& path) = 0;
  // Why nothing can be sent to a socket of this path.
  virtual std::string why_no_socket(const std::string& path) = 0;
  // Why a socket cannot be bound there; `address` empty: on any address. What belongs to a running belfry
  // of the stack of this name is no obstacle: it is the one that will be replaced.
  virtual std::string why_port_taken(bool udp, const std::string& address, std::uint16_t port,
                                     std::string_view stack) = 0;
  // What of its identity and limits this service cannot have, because belfry may not give it.
  struct Refusal {
    std::string_view key;  // of the service; a literal
    std::string why;       // half a sentence
    std::string help;
  };
  virtual std::vector<Refusal> what_is_refused(const Service& service) = 0;
  // Where a command is searched when the service has no PATH.
  virtual std::string_view default_path() const = 0;
};

}  // namespace belfry::config
