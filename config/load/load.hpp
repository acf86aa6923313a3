// From files to a Stack: the one door into this library. This room knows the order of the steps and none of
// their insides; what it needs of the machine (a host to ask, free ports) it is given.
//
//   files → document (tree with places) → merge (files, extends, defaults) → decode (values)
//         → validate (what concerns more than one key) → Stack and Diagnostics
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/decode/free_ports.hpp"
#include "config/document/diagnostic.hpp"
#include "config/document/interpolate.hpp"
#include "config/keys/not_yet.hpp"
#include "config/model/model.hpp"
#include "config/validate/host.hpp"

namespace belfry::config {

struct LoadOptions {
  // Active profiles, beside those of the variable BELFRY_PROFILES (separated by commas).
  std::vector<std::string> profiles = {};
  // Where variables come from before `.env` beside the file; unset: this process's environment.
  Lookup environment = {};
  // Services named on the command line: they and what they require are enabled whatever their profiles.
  std::vector<std::string> services = {};
  // Free ports that were handed out before and must stay (a reload): name and number.
  std::vector<std::pair<std::string, std::uint16_t>> ports = {};
  // Finds the other free ports. Where it is unset, `free` is an error.
  FreePorts free_ports = {};
  // Told of each file before it is read: those of the stack, env files, secrets, credentials, `.env`.
  std::function<void(const std::string& path)> about_to_read = {};
  // Is asked whether the stack can run here. Where it is null, that is not checked. Borrowed.
  Host* host = nullptr;
};

struct Loaded {
  Stack stack;                       // consistent only when there are no errors
  Diagnostics diagnostics;           // errors and warnings, sorted by place
  std::vector<NotYet> not_yet = {};  // keys that no version does anything with yet (refuse_unsupported)
};

// Reads, decodes and validates. Never throws on bad input and never prints; every problem is in
// `diagnostics`, one of the rule `cannot-read` if a file is missing. Blocks on file I/O only: the
// files, their env_files and secrets.
[[nodiscard]] Loaded load(const std::string& path, const LoadOptions& options = {});
// Several files, merged in order: mappings key by key, the later one wins, lists replace. Relative
// paths count from the directory of the first one.
[[nodiscard]] Loaded load(const std::vector<std::string>& paths, const LoadOptions& options = {});
// The same for a text at hand; `file_name` is what messages call it and relative paths count from.
[[nodiscard]] Loaded load_text(std::string_view text, std::string file_name, const LoadOptions& options = {});

// The file to read: `explicit_path` if not empty (it need not exist), else the first that exists of
// ./belfry.yaml, ./belfry.yml, /etc/belfry/belfry.yaml.
[[nodiscard]] std::optional<std::string> find_file(const std::string& explicit_path = {});

}  // namespace belfry::config
