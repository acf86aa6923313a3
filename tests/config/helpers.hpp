// Loading small texts in tests: a fixed environment, a directory that does not exist, no surprises.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "config/load/load.hpp"

namespace belfry::config::testing_support {

// Ports that a host which nobody has asked would call free.
inline std::vector<std::uint16_t> fake_free_ports(std::size_t count) {
  std::vector<std::uint16_t> ports(count);
  for (std::size_t i = 0; i < count; ++i) ports[i] = static_cast<std::uint16_t>(40'000 + i);
  return ports;
}

inline Loaded loaded(const std::string& text, const std::map<std::string, std::string>& variables = {},
                     LoadOptions options = {}) {
  if (!options.free_ports) options.free_ports = fake_free_ports;
  options.environment = [variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return load_text(text, "/nowhere/test.yaml", options);
}

inline std::string text_of(const Diagnostics& diagnostics) {
  std::ostringstream out;
  print(diagnostics, out);
  return out.str();
}

// The rule of the first error, `none` without one.
inline std::string rule_of(const std::string& text, LoadOptions options = {}) {
  const Loaded result = loaded(text, {}, std::move(options));
  for (const Diagnostic& one : result.diagnostics)
    if (one.severity == Severity::error) return std::string(one.rule);
  return "none";
}

// The stack of a text that must have no errors.
inline Stack good(const std::string& text, const std::map<std::string, std::string>& variables = {},
                  LoadOptions options = {}) {
  Loaded result = loaded(text, variables, std::move(options));
  if (result.diagnostics.has_errors()) throw std::runtime_error(text_of(result.diagnostics));
  return std::move(result.stack);
}

inline const Service& service(const Stack& stack, std::string_view name) {
  for (const Service& one : stack.services)
    if (one.name == name) return one;
  throw std::runtime_error("no service " + std::string(name));
}

// One service `x` with these keys, in flow style.
inline Stack with_keys(const std::string& keys) {
  return good("services: {x: {command: sleep 1, " + keys + "}}");
}

inline std::string value_of(const std::vector<std::pair<std::string, std::string>>& pairs,
                            std::string_view name) {
  for (const auto& [known, value] : pairs)
    if (known == name) return value;
  return "(missing)";
}

// A directory that is gone when the test ends.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "belfry-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  const std::filesystem::path& path() const { return path_; }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace belfry::config::testing_support
