#include "config/load/load.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "config/decode/decode.hpp"
#include "config/decode/env_file.hpp"
#include "config/decode/merge.hpp"
#include "config/document/confidential.hpp"
#include "config/document/files.hpp"
#include "config/model/name.hpp"
#include "config/validate/validate.hpp"

namespace belfry::config {
namespace {

std::optional<std::string> process_environment(std::string_view name) {
  const char* const value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Lookup environment_of(const LoadOptions& options) {
  return options.environment ? options.environment : Lookup(process_environment);
}

// The byte order mark some editors write is not part of the text.
void drop_mark(std::string& text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
}

std::string directory_of(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path absolute = std::filesystem::absolute(path, ignored).lexically_normal();
  return absolute.parent_path().string();
}

std::string name_from(const std::string& directory) {
  std::string name;
  for (const char c : std::filesystem::path(directory).filename().string())
    name += is_name(std::string(1, c)) || (!name.empty() && (c == '-' || c == '.')) ? c : '_';
  return name.empty() ? "belfry" : name;
}

std::vector<std::string> active_profiles(const LoadOptions& options) {
  std::vector<std::string> profiles = options.profiles;
  const std::string listed = environment_of(options)("BELFRY_PROFILES").value_or("");
  for (std::size_t at = 0; at < listed.size();) {
    const std::size_t end = std::min(listed.find(',', at), listed.size());
    if (end > at) profiles.push_back(listed.substr(at, end - at));
    at = end + 1;
  }
  return profiles;
}

// Edges to services that do not exist have been reported, or were not required; what follows needs every
// target to be one.
void drop_dangling(StackDraft& draft) {
  for (Service& service : draft.stack.services)
    std::erase_if(service.depends_on,
                  [&](const Dependency& edge) { return !draft.declared.contains(edge.service); });
}

void read_root(Decoder& decoder, const Node& root, const LoadOptions& options, StackDraft& draft) {
  if (const Node* ports = root.find("ports"); ports != nullptr && !ports->is_null())
    decode_ports(decoder, *ports, draft, options.ports, options.free_ports);
  if (!decoder.mapping(root, "a belfry file", stack_fields(), draft)) return;
  decode_services(decoder, draft);
  drop_dangling(draft);
  validate(decoder, draft, active_profiles(options), options.services, options.host);
}

// Behind the `own` files of the stack come env files, which are full of secrets. And what was given to us as
// a belfry file and does not look like one may be anything.
void withhold_what_is_not_ours(Diagnostics& diagnostics, std::size_t own) {
  auto& sources = diagnostics.sources();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const bool foreign = i < own && !looks_like_a_belfry_file(sources[i].text());
    if (foreign || i >= own) sources[i].withhold();
    if (foreign) diagnostics.stop_quoting(static_cast<std::uint32_t>(i));
  }
}

void load_sources(Loaded& loaded, const std::string& first_path, const LoadOptions& options) {
  Document document;
  Diagnostics& diagnostics = loaded.diagnostics;
  StackDraft draft;
  Decoder decoder(document, diagnostics, environment_of(options), directory_of(first_path));
  DotEnv dot_env(decoder);
  decoder.translate_by({foreign_key_help, foreign_value_help});
  decoder.fall_back_to([&dot_env](std::string_view name) { return dot_env.find(name); });
  const Node* root = nullptr;
  bool whole = !diagnostics.has_errors();
  const auto count = static_cast<std::uint32_t>(diagnostics.sources().size());
  for (std::uint32_t file = 0; file < count; ++file) {
    const std::size_t errors = diagnostics.errors();
    const Node* const tree = document.parse(diagnostics, file);
    whole = whole && (tree != nullptr || diagnostics.errors() == errors);
    if (tree == nullptr) continue;
    if (!tree->is_mapping() && !tree->is_null()) {
      decoder.expect_mapping(*tree, "a belfry file");
      whole = false;
      continue;
    }
    root = root == nullptr ? tree : merge(document, *root, *tree);
    whole = whole && !decoder.overgrown(*tree);
  }
  if (whole && (root == nullptr || root->is_null())) {
    diagnostics.error("no-services", {0, 0, 0}, "the file is empty",
                      "add `services: {web: {command: ./web}}`");
  } else if (whole) {
    read_root(decoder, *root, options, draft);
  }
  loaded.stack = std::move(draft.stack);
  loaded.not_yet = std::move(decoder.not_yet());
  if (loaded.stack.name.empty()) loaded.stack.name = name_from(decoder.directory());
  withhold_what_is_not_ours(diagnostics, count);
  for (const Source& source : diagnostics.sources()) loaded.stack.files.push_back(source.name());
  diagnostics.finish();
}

}  // namespace

Loaded load(const std::vector<std::string>& paths, const LoadOptions& options) {
  Loaded loaded;
  const ReadWatch watch(options.about_to_read);
  for (const std::string& path : paths) {
    auto text = read_file(path, DocumentLimits{}.bytes, Accept::files_and_pipes);
    const auto index = static_cast<std::uint32_t>(loaded.diagnostics.sources().size());
    if (text) drop_mark(*text);
    loaded.diagnostics.sources().emplace_back(path, text ? std::move(*text) : "");
    if (!text)
      loaded.diagnostics.error("cannot-read", {index, 0, 0}, "cannot read this file: " + text.error().message,
                               text.error().code == EFBIG
                                   ? "split it into several files and pass each with -c"
                                   : "check the path and its permissions");
  }
  load_sources(loaded, paths.empty() ? "belfry.yaml" : paths.front(), options);
  return loaded;
}

Loaded load(const std::string& path, const LoadOptions& options) {
  return load(std::vector<std::string>{path}, options);
}

Loaded load_text(std::string_view text, std::string file_name, const LoadOptions& options) {
  Loaded loaded;
  std::string own(text);
  drop_mark(own);
  loaded.diagnostics.sources().emplace_back(file_name, std::move(own));
  load_sources(loaded, file_name, options);
  return loaded;
}

std::optional<std::string> find_file(const std::string& explicit_path) {
  if (!explicit_path.empty()) return explicit_path;
  for (const char* candidate : {"belfry.yaml", "belfry.yml", "/etc/belfry/belfry.yaml"}) {
    std::error_code unknown;
    // Who may not look cannot say that there is none: reading the file will say why.
    if (std::filesystem::exists(candidate, unknown) || unknown) return candidate;
  }
  return std::nullopt;
}

}  // namespace belfry::config
