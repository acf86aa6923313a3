// Directories, credentials and namespaces of a service: made for a run before its hooks, shared by everything
// that runs for it, given back when it has ended.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "system/identity.hpp"
#include "system/launch.hpp"
#include "system/removals.hpp"
#include "system/sandbox.hpp"

namespace belfry::daemon {

// What belfry can do of it on this machine. Owner: the native resources. Lifecycle: open() before the first
// service.
class Confinements {
 public:
  // Tries what the stack asks for once. `place`: a directory of this daemon's own.
  void open(const config::Stack& stack, std::string place);
  // The same for one that a reload brings along.
  void admit(const config::Service& spec);
  [[nodiscard]] const std::string& place() const { return place_; }
  // Empty: it can.
  [[nodiscard]] const std::string& why_no_mounts() const { return why_no_mounts_; }
  [[nodiscard]] const std::string& why_no_network() const { return why_no_network_; }
  [[nodiscard]] system::Removals& removals() { return removals_; }

 private:
  system::Removals removals_;
  std::string place_;
  std::string why_no_mounts_, why_no_network_;
  bool mounts_tried_ = false, network_tried_ = false;
};

// Owner: the handle of a service. Lifecycle: prepare() makes it for the next run, launched() says that it has
// begun, release() that nothing of it is left; a prepare() after launched() is for another run, and makes it
// anew.
class Confinement {
 public:
  Confinement(Confinements& shared, const config::Service& spec) : shared_(shared), spec_(spec) {}
  ~Confinement() { release(); }
  Confinement(const Confinement&) = delete;
  Confinement& operator=(const Confinement&) = delete;

  [[nodiscard]] static bool is_wanted(const config::Service& spec);
  // `identity`: as whom the service runs; null: as belfry. The error is of kind `failed` where trying again
  // would change nothing.
  Result<void> prepare(const system::Identity* identity);
  // Into `launch`, of the service or of a hook or probe of it: variables and namespaces.
  void apply(system::Launch& launch) const;
  void launched() { used_ = true; }
  void release();

 private:
  Result<void> make(uid_t uid, gid_t gid);
  Result<void> make_directories(uid_t uid, gid_t gid);
  Result<void> make_some(const std::vector<config::OwnDirectory>& asked, std::string_view base, uid_t uid,
                         gid_t gid, std::string& paths);
  Result<void> make_credentials(uid_t uid, gid_t gid);
  Result<void> make_sandbox(uid_t uid);

  Confinements& shared_;
  const config::Service& spec_;
  bool made_ = false, used_ = false;
  std::string runtime_paths_, state_paths_, credentials_;
  std::vector<std::string> kept_;                             // paths that a sandbox leaves in sight
  std::vector<std::pair<std::string, std::string>> leaving_;  // base and name of what goes with the run
  std::unique_ptr<system::Sandbox> sandbox_;
};

}  // namespace belfry::daemon
