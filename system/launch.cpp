#include "system/launch.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace belfry::system {

namespace {

constexpr std::string_view marker_name = "BELFRY_SERVICE=";

std::string_view name_part(std::string_view entry) { return entry.substr(0, entry.find('=')); }

// What is said to belfry itself and must not be heard by its services.
bool is_private(std::string_view name) {
  static constexpr std::array<std::string_view, 12> names = {
      "NOTIFY_SOCKET", "LISTEN_PID",    "LISTEN_PIDFDID", "LISTEN_FDS",     "LISTEN_FDNAMES", "FDSTORE",
      "WATCHDOG_PID",  "WATCHDOG_USEC", "MAINPID",        "BELFRY_SERVICE", "BELFRY_SOCKET",  "BELFRY_RUN"};
  return std::ranges::find(names, name) != names.end();
}

bool is_file(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

void StringBlock::add(std::string_view text) {
  bytes_.append(text.substr(0, text.find('\0')));
  bytes_.push_back('\0');
  ++count_;
}

void StringBlock::add(std::string_view name, std::string_view value) {
  bytes_.append(name).push_back('=');
  add(value);
}

void StringBlock::remove(std::string_view name) {
  StringBlock kept;
  each([&](const char* entry) {
    if (name_part(entry) != name) kept.add(entry);
  });
  if (kept.count_ != count_) *this = std::move(kept);
}

std::optional<std::string_view> StringBlock::get(std::string_view name) const {
  std::optional<std::string_view> found;
  each([&](std::string_view entry) {
    if (!found && name_part(entry) == name && entry.size() > name.size())
      found = entry.substr(name.size() + 1);
  });
  return found;
}

std::shared_ptr<const BaseEnvironment> BaseEnvironment::inherited(const char* const* environment) {
  auto made = std::make_shared<BaseEnvironment>();
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    if (!is_private(name_part(*environment))) made->block_.add(*environment);
  }
  made->block_.each([&](char* entry) { made->pointers_.push_back(entry); });
  return made;
}

std::shared_ptr<const BaseEnvironment> BaseEnvironment::empty() {
  static const auto none = std::make_shared<const BaseEnvironment>();
  return none;
}

std::shared_ptr<const BaseEnvironment> BaseEnvironment::only(const BaseEnvironment& all,
                                                             std::span<const std::string> names) {
  auto made = std::make_shared<BaseEnvironment>();
  for (const char* entry : all.pointers_) {
    if (std::ranges::find(names, name_part(entry)) != names.end()) made->block_.add(entry);
  }
  made->block_.each([&](char* entry) { made->pointers_.push_back(entry); });
  return made;
}

std::optional<std::string_view> BaseEnvironment::get(std::string_view name) const { return block_.get(name); }

void Launch::set_command(std::span<const std::string> arguments) {
  arguments_.clear();
  candidates_.clear();
  for (const std::string& argument : arguments) arguments_.add(argument);
}

void Launch::set_environment(std::shared_ptr<const BaseEnvironment> base, std::span<const NameValue> own) {
  base_ = std::move(base);
  variables_.clear();
  candidates_.clear();
  for (const auto& [name, value] : own) {
    variables_.remove(name);
    variables_.add(name, value);
  }
  hide_overridden();
}

void Launch::add_variable(std::string_view name, std::string_view value) {
  variables_.remove(name);
  variables_.add(name, value);
  if (name == "PATH") candidates_.clear();
  hide_overridden();
}

void Launch::set_marker(std::string_view marker) { marker_.assign(marker_name).append(marker); }

std::string_view Launch::marker() const {
  return marker_.empty() ? std::string_view() : std::string_view(marker_).substr(marker_name.size());
}

std::string_view Launch::command() const { return arguments_.empty() ? "" : arguments_.front(); }

std::optional<std::string_view> Launch::variable(std::string_view name) const {
  if (auto own = variables_.get(name)) return own;
  return base_ ? base_->get(name) : std::nullopt;
}

void Launch::hide_overridden() {
  hidden_.clear();
  if (!base_) return;
  auto entries = base_->entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (variables_.get(name_part(entries[i]))) hidden_.push_back(static_cast<std::uint16_t>(i));
  }
}

// Like execvp: a name with a slash is a path; the others are tried in every directory of PATH. An entry
// that is relative counts from the child's directory and can only be judged there.
void Launch::resolve() {
  candidates_.clear();
  std::string_view name = command();
  if (name.empty() || name.contains('/')) {
    candidates_.add(name);
    return;
  }
  std::string_view path = variable("PATH").value_or(default_path);
  for (;;) {
    std::size_t colon = path.find(':');
    std::string candidate(path.substr(0, colon));
    if (candidate.empty()) candidate = ".";
    candidate.append("/").append(name);
    if (candidate.front() != '/' || is_file(candidate)) candidates_.add(candidate);
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
}

}  // namespace belfry::system
