#include "config/keys/not_yet.hpp"

namespace belfry::config {
namespace {

// "`control`" and `token_file` are "`control.token_file`"; of "a bell" it is "`redis` of a bell".
std::string full_name(std::string_view owner, std::string_view key) {
  if (owner.starts_with('`') && owner.ends_with('`'))
    return std::string(owner.substr(0, owner.size() - 1)).append(".").append(key).append("`");
  return std::string("`").append(key).append("` of ").append(owner);
}

}  // namespace

std::string refusal_of(const NotYet& use) {
  return "cannot use " + full_name(use.owner, use.key->name) + ": this version does not support it yet";
}

std::string help_of(const NotYet& use) {
  if (!use.key->only.empty())
    return "write `" + std::string(use.key->only) + "`, or use a version that has the others";
  if (!use.key->instead.empty()) return "use " + std::string(use.key->instead) + ", or a version that has it";
  return "remove it, or use a version that has it";
}

}  // namespace belfry::config
