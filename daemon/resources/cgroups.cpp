#include "daemon/resources/cgroups.hpp"

#include "system/cgroup_place.hpp"

namespace belfry::daemon {

namespace {

system::CgroupLimits limits_of(const config::Service& spec) {
  if (!spec.extras || !spec.extras->cgroup) return {};
  const config::Cgroup& asked = *spec.extras->cgroup;
  return {.memory_max = asked.memory_max, .cpu_max = asked.cpu_max, .pids_max = asked.pids_max};
}

// Of all of them together: whichever limit anybody asks for.
system::CgroupLimits joined(system::CgroupLimits all, const system::CgroupLimits& one) {
  if (one.memory_max) all.memory_max = one.memory_max;
  if (one.cpu_max) all.cpu_max = one.cpu_max;
  if (one.pids_max) all.pids_max = one.pids_max;
  return all;
}

}  // namespace

void Cgroups::create(const config::Stack& stack, std::vector<std::string>& remarks, system::Guard* guard) {
  who_ = stack.cgroups;
  system::CgroupLimits needed;
  std::string limited;
  bool any = false;
  for (const config::Service& spec : stack.services) {
    if (spec.command.empty() || !is_wanted(spec)) continue;
    any = true;
    const system::CgroupLimits own = limits_of(spec);
    if (own.empty()) continue;
    limited += (limited.empty() ? "" : ", ") + spec.name;
    needed = joined(needed, own);
  }
  if (!any) return;
  const auto own = system::cgroup::own_directory();
  auto tree = own ? system::CgroupTree::open(*own, stack.name, guard != nullptr ? guard->pid() : 0)
                  : std::unexpected(Error(Error::Kind::refused, "there is no cgroup v2 for belfry here"));
  const Result<void> ready = tree ? (*tree)->enable(needed) : std::unexpected(tree.error());
  if (tree) tree_ = std::move(*tree);
  if (tree_ && guard != nullptr) guard->ledger().set_cgroup(tree_->directory());
  if (!ready && !limited.empty())
    remarks.push_back("cannot apply `cgroup` of " + limited + ", running without: " + ready.error().text());
  else if (!ready && stack.cgroups == config::Cgroups::all)
    remarks.push_back("cannot give services cgroups of their own, going by groups and orphans: " +
                      ready.error().text());
  limits_apply_ = ready.has_value();
}

void Cgroups::admit(const config::Service& spec, std::vector<std::string>& remarks) {
  if (spec.command.empty() || !is_wanted(spec)) return;
  const system::CgroupLimits own = limits_of(spec);
  if (!tree_) {
    if (!own.empty())
      remarks.push_back("cannot apply `cgroup` of " + spec.name +
                        ", running without: belfry has made no cgroups when it started (restart belfry)");
    return;
  }
  if (own.empty() || !limits_apply_) return;
  if (auto ok = tree_->enable(own); !ok)
    remarks.push_back("cannot apply `cgroup` of " + spec.name + ": " + ok.error().text());
}

bool Cgroups::is_wanted(const config::Service& spec) const {
  if (who_ == config::Cgroups::off) return false;
  return who_ == config::Cgroups::all || (spec.extras && (spec.extras->cgroup || spec.extras->isolate));
}

bool Cgroups::has_leaf_for(const config::Service& spec) const { return tree_ && is_wanted(spec); }

Result<std::unique_ptr<system::CgroupLeaf>> Cgroups::make_leaf(const config::Service& spec) const {
  auto leaf = tree_->make_leaf(spec.name);
  if (!leaf || !limits_apply_) return leaf;
  if (auto ok = (*leaf)->limit(limits_of(spec)); !ok) return std::unexpected(ok.error());
  return leaf;
}

}  // namespace belfry::daemon
