// Cgroups of their own for the services that want one, where a cgroup v2 is writable.
//
// A cgroup is a means: where there can be none, the service runs without, and that is said once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "system/cgroup.hpp"
#include "system/guard.hpp"

namespace belfry::daemon {

// Owner: the native resources. Lifecycle: create() before the first service; outlives the leaves.
class Cgroups {
 public:
  // What cannot be done as the file says is added to `remarks`, a line each. The guard, if there is one, is
  // told where everybody is.
  void create(const config::Stack& stack, std::vector<std::string>& remarks, system::Guard* guard);
  // One that a reload brings along: what cannot be done as it says is added to `remarks`.
  void admit(const config::Service& spec, std::vector<std::string>& remarks);
  // Null: the service goes without.
  Result<std::unique_ptr<system::CgroupLeaf>> make_leaf(const config::Service& spec) const;
  [[nodiscard]] bool has_leaf_for(const config::Service& spec) const;

 private:
  [[nodiscard]] bool is_wanted(const config::Service& spec) const;

  config::Cgroups who_ = config::Cgroups::off;
  std::unique_ptr<system::CgroupTree> tree_;  // null: nobody asks for a leaf, or there can be none
  bool limits_apply_ = true;
};

}  // namespace belfry::daemon
