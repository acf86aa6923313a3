// What stands on a command line, as a probe that can be asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "channels/error.hpp"
#include "config/model/model.hpp"

namespace belfry::waiter {

// What options say of every target that they fit.
struct ProbeOptions {
  std::optional<config::HttpExpectation> http;  // http, https
  std::optional<config::TlsOptions> tls;        // what speaks TLS
  std::string query;                            // postgres, mysql
};

struct Target {
  std::string shown;  // what people are told of it: without its password
  config::Probe probe;
};

// A name, of a service of a running belfry; else it is a URL, or host:port.
[[nodiscard]] bool is_service(std::string_view text);

// `tcp://host:port`, `host:port`, `https://…`, `file:path`, …: the table is in target.cpp. Paths are seen
// from `directory`. Error kind invalid: "cannot wait for …: why", with what could be written instead.
Result<Target> parse_target(std::string_view text, const std::string& directory, const ProbeOptions& options);

}  // namespace belfry::waiter
