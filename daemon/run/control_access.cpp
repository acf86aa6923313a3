#include "daemon/run/control_access.hpp"

#include <sys/stat.h>

#include <charconv>
#include <cstring>
#include <utility>

#include "system/file_facts.hpp"
#include "system/group_entry.hpp"
#include "system/open_file.hpp"
#include "system/user_database.hpp"

namespace belfry::daemon {
namespace {

constexpr off_t largest_token_file = 4096;

std::unexpected<Error> invalid(std::string text) {
  return std::unexpected(Error(Error::Kind::invalid, std::move(text)));
}

Result<gid_t> group_named(const std::string& name) {
  gid_t number = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (failed == std::errc() && end == name.data() + name.size()) return number;
  const auto found = system::group_of(name);
  const std::string what = "cannot let the group " + name + " use the control socket: ";
  if (!found) return invalid(what + std::strerror(found.error()));
  if (!*found)
    return invalid(what + "there is no such group" + std::string(system::not_looked_into()) +
                   " (control.allow; `getent group` lists them)");
  return **found;
}

// Whoever may write the file is as good as its owner; whoever may read it, too, but that is how secrets are
// mounted into containers, where nobody else is.
Result<http::BearerToken> token_from(const std::string& path, std::vector<std::string>& remarks) {
  const std::string what = "cannot use the token in " + path + " (control.token_file): ";
  const auto facts = system::facts_of(path);
  if (!facts) return invalid(what + std::strerror(facts.error()));
  if ((facts->mode & (S_IWGRP | S_IWOTH)) != 0)
    return invalid(what + "others may write it; `chmod go-w " + path + "`");
  if ((facts->mode & S_IROTH) != 0)
    remarks.push_back("every user of this host may read the token in " + path + ": `chmod o-r " + path +
                      "` unless nobody else is there");
  const auto text = system::read_file_of(std::nullopt, path, largest_token_file);
  if (!text) return invalid(what + std::strerror(text.error()));
  auto token = http::BearerToken::parse(*text);
  if (!token) return invalid(what + token.error().text());
  return token;
}

}  // namespace

Result<ControlAccess> look_up(const config::Control& control) {
  ControlAccess access;
  for (const std::string& name : control.allow) {
    const auto group = group_named(name);
    if (!group) return std::unexpected(group.error());
    access.rules.groups.push_back(*group);
  }
  if (control.token_file.empty()) return access;
  auto token = token_from(control.token_file, access.remarks);
  if (!token) return std::unexpected(token.error());
  access.rules.token = std::move(*token);
  return access;
}

std::vector<std::string> who_cannot_reach(const config::Control& control, const http::AccessRules& rules,
                                          const std::string& socket) {
  std::vector<std::string> remarks;
  for (std::size_t i = 0; i < rules.groups.size(); ++i) {
    const std::string closed = system::closed_to_group(socket, rules.groups[i]);
    if (closed.empty()) continue;
    remarks.push_back("the group " + control.allow[i] + " may use " + socket + ", and cannot come as far: " +
                      closed + " is closed to it (set control.socket to a path that it can reach)");
  }
  return remarks;
}

}  // namespace belfry::daemon
