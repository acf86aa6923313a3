#include "daemon/resources/confinement.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "system/own_directory.hpp"
#include "system/private_files.hpp"

namespace belfry::daemon {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// As in systemd: those of the system for root, else the user's own. Empty: there is none.
std::string runtime_base() { return system::own_user() == 0 ? "/run" : variable("XDG_RUNTIME_DIR"); }

std::string state_base() {
  if (system::own_user() == 0) return "/var/lib";
  std::string own = variable("XDG_STATE_HOME");
  if (own.empty() && !variable("HOME").empty()) own = variable("HOME") + "/.local/state";
  return own;
}

bool wants_mounts(const config::Service& spec) {
  const auto& sandbox = spec.extras->sandbox;
  return !spec.extras->credentials.empty() ||
         (sandbox && (sandbox->read_only_root || sandbox->private_tmp || sandbox->protect_home));
}

std::string why_not(const system::SandboxPlan& plan) {
  const auto tried = system::Sandbox::make(plan);
  return tried ? std::string() : tried.error().text();
}

}  // namespace

void Confinements::open(const config::Stack& stack, std::string place) {
  place_ = std::move(place);
  for (const config::Service& spec : stack.services) {
    if (spec.enabled) admit(spec);
  }
}

void Confinements::admit(const config::Service& spec) {
  if (!spec.extras) return;
  if (wants_mounts(spec) && !std::exchange(mounts_tried_, true))
    why_no_mounts_ = why_not({.private_tmp = true});
  if (spec.extras->sandbox && spec.extras->sandbox->private_network && !std::exchange(network_tried_, true))
    why_no_network_ = why_not({.private_network = true});
}

bool Confinement::is_wanted(const config::Service& spec) {
  return spec.extras &&
         (!spec.extras->runtime_directories.empty() || !spec.extras->state_directories.empty() ||
          spec.extras->sandbox || !spec.extras->credentials.empty());
}

Result<void> Confinement::prepare(const system::Identity* identity) {
  if (made_ && !used_) return {};
  release();
  auto ok = make(identity != nullptr ? identity->uid : system::own_user(),
                 identity != nullptr ? identity->gid : system::own_group());
  made_ = ok.has_value();
  if (!ok) release();
  return ok;
}

Result<void> Confinement::make(uid_t uid, gid_t gid) {
  kept_ = {shared_.place()};
  if (auto ok = make_directories(uid, gid); !ok) return ok;
  if (auto ok = make_credentials(uid, gid); !ok) return ok;
  return make_sandbox(uid);
}

Result<void> Confinement::make_directories(uid_t uid, gid_t gid) {
  const config::ServiceExtras& extras = *spec_.extras;
  const std::string run = runtime_base(), state = state_base();
  if (!extras.runtime_directories.empty() && run.empty())
    return std::unexpected(Error::failed("cannot make `runtime_directory` of " + spec_.name +
                                         ": belfry is not root, and $XDG_RUNTIME_DIR is not set (set it)"));
  if (!extras.state_directories.empty() && state.empty())
    return std::unexpected(Error::failed("cannot make `state_directory` of " + spec_.name +
                                         ": belfry is not root, and $XDG_STATE_HOME is not set (set it)"));
  if (auto ok = make_some(extras.runtime_directories, run, uid, gid, runtime_paths_); !ok) return ok;
  return make_some(extras.state_directories, state, uid, gid, state_paths_);
}

Result<void> Confinement::make_some(const std::vector<config::OwnDirectory>& asked, std::string_view base,
                                    uid_t uid, gid_t gid, std::string& paths) {
  const bool temporary = &paths == &runtime_paths_;
  for (const config::OwnDirectory& one : asked) {
    auto made = system::make_own_directory(
        {.base = base, .name = one.name, .mode = one.mode, .uid = uid, .gid = gid, .temporary = temporary});
    if (!made) return std::unexpected(made.error());
    paths += (paths.empty() ? "" : ":") + made->path;
    kept_.push_back(made->path);
    if (made->ours && temporary) leaving_.emplace_back(base, one.name);
  }
  return {};
}

Result<void> Confinement::make_credentials(uid_t uid, gid_t gid) {
  const auto& asked = spec_.extras->credentials;
  if (asked.empty()) return {};
  auto made = system::make_credentials_directory(shared_.place(), spec_.name);
  if (!made) return std::unexpected(made.error());
  credentials_ = std::move(*made);
  if (shared_.why_no_mounts().empty()) return {};
  system::PrivateFiles files;
  for (const config::Credential& one : asked) files.emplace_back(one.name, &one.value);
  return system::write_private_files(credentials_, files, uid, gid);
}

Result<void> Confinement::make_sandbox(uid_t uid) {
  const config::Sandbox asked = spec_.extras->sandbox.value_or(config::Sandbox{});
  const bool mounts = shared_.why_no_mounts().empty();
  const bool network = asked.private_network && shared_.why_no_network().empty();
  if (asked.required) {
    const std::string& why = wants_mounts(spec_) && !mounts ? shared_.why_no_mounts()
                             : asked.private_network        ? shared_.why_no_network()
                                                            : std::string();
    if (!why.empty())
      return std::unexpected(Error::failed("cannot run " + spec_.name +
                                           ": its `sandbox` is required, and cannot be made: " + why));
  }
  system::SandboxPlan plan{.read_only_root = mounts && asked.read_only_root,
                           .private_tmp = mounts && asked.private_tmp,
                           .private_network = network,
                           .protect_home = mounts && asked.protect_home,
                           .kept = kept_,
                           .credentials_directory = mounts ? credentials_ : std::string(),
                           .credentials = {},
                           .owner = uid};
  std::ranges::copy(asked.writable, std::back_inserter(plan.kept));
  for (const config::Credential& one : spec_.extras->credentials)
    plan.credentials.emplace_back(one.name, &one.value);
  if (!plan.needs_mounts() && !plan.private_network) return {};
  auto made = system::Sandbox::make(plan);
  if (made) {
    sandbox_ = std::move(*made);
    return {};
  }
  const std::string what = "cannot make the sandbox of " + spec_.name + ": " + made.error().text();
  return std::unexpected(made.error().is_refusal() ? Error::failed(what) : Error(Error::Kind::refused, what));
}

void Confinement::apply(system::Launch& launch) const {
  if (!runtime_paths_.empty()) launch.add_variable("RUNTIME_DIRECTORY", runtime_paths_);
  if (!state_paths_.empty()) launch.add_variable("STATE_DIRECTORY", state_paths_);
  if (!credentials_.empty()) launch.add_variable("CREDENTIALS_DIRECTORY", credentials_);
  launch.sandbox = sandbox_.get();
}

void Confinement::release() {
  sandbox_.reset();
  if (!credentials_.empty()) system::remove_credentials_directory(shared_.place(), spec_.name);
  for (const auto& [base, name] : leaving_) shared_.removals().remove(base, name);
  leaving_.clear();
  kept_.clear();
  credentials_.clear();
  runtime_paths_.clear();
  state_paths_.clear();
  made_ = used_ = false;
}

}  // namespace belfry::daemon
