#include "system/account_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <expected>
#include <string_view>
#include <utility>

#include "system/open_file.hpp"

namespace belfry::system {

namespace {

constexpr off_t largest = off_t{16} << 20;

OrErrno<std::string> text_of(const std::string& path) {
  std::string text;
  errno = 0;
  if (read_regular_file(path, largest, text)) return text;
  if (errno == ENOENT || errno == ENOTDIR) return std::string();
  return std::unexpected(errno == 0 ? EINVAL : errno);  // no regular file, or too large
}

// Cuts the text up to `separator` off the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

// As the kernel's: -1 is nobody's number.
std::optional<id_t> number(std::string_view text) {
  id_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || value == ~id_t{0}) return std::nullopt;
  return value;
}

// `+` and `-` begin what the compat module of NSS would look up elsewhere.
bool is_entry(std::string_view line) {
  return !line.empty() && line.front() != '#' && line.front() != '+' && line.front() != '-' &&
         line.front() != ':';
}

// name:password:uid:gid:comment:home:shell
std::optional<UserEntry> user_in(std::string_view line) {
  if (!is_entry(line)) return std::nullopt;
  std::array<std::string_view, 7> fields;
  for (std::string_view& field : fields) field = take(line, ':');
  const auto uid = number(fields[2]);
  const auto gid = number(fields[3]);
  if (!uid || !gid) return std::nullopt;
  return UserEntry{*uid, *gid, std::string(fields[0]), std::string(fields[5]), std::string(fields[6])};
}

struct Group {
  std::string_view name;
  gid_t gid;
  std::string_view members;
};

// name:password:gid:member,member
std::optional<Group> group_in(std::string_view line) {
  if (!is_entry(line)) return std::nullopt;
  const std::string_view name = take(line, ':');
  take(line, ':');
  const auto gid = number(take(line, ':'));
  if (!gid) return std::nullopt;
  return Group{name, *gid, line};
}

bool has_member(std::string_view members, std::string_view user) {
  while (!members.empty()) {
    if (take(members, ',') == user) return true;
  }
  return false;
}

template <class Wanted>
OrErrno<std::optional<UserEntry>> first_user(const std::string& path, Wanted wanted) {
  const auto text = text_of(path);
  if (!text) return std::unexpected(text.error());
  for (std::string_view rest = *text; !rest.empty();) {
    auto user = user_in(take(rest, '\n'));
    if (user && wanted(*user)) return user;
  }
  return std::nullopt;
}

}  // namespace

OrErrno<std::optional<UserEntry>> AccountFiles::user_of(const std::string& name) const {
  return first_user(passwd_, [&](const UserEntry& user) { return user.name == name; });
}

OrErrno<std::optional<UserEntry>> AccountFiles::user_of(uid_t uid) const {
  return first_user(passwd_, [&](const UserEntry& user) { return user.uid == uid; });
}

OrErrno<std::optional<gid_t>> AccountFiles::group_of(const std::string& name) const {
  const auto text = text_of(group_);
  if (!text) return std::unexpected(text.error());
  for (std::string_view rest = *text; !rest.empty();) {
    const auto group = group_in(take(rest, '\n'));
    if (group && group->name == name) return group->gid;
  }
  return std::nullopt;
}

std::string AccountFiles::name_of_group(gid_t gid) const {
  const auto text = text_of(group_);
  for (std::string_view rest = text ? *text : std::string_view(); !rest.empty();) {
    const auto group = group_in(take(rest, '\n'));
    if (group && group->gid == gid) return std::string(group->name);
  }
  return {};
}

std::vector<gid_t> AccountFiles::groups_of(const std::string& user, gid_t gid) const {
  std::vector<gid_t> found{gid};
  const auto text = text_of(group_);
  for (std::string_view rest = text ? *text : std::string_view(); !rest.empty();) {
    const auto group = group_in(take(rest, '\n'));
    if (group && has_member(group->members, user) && std::ranges::find(found, group->gid) == found.end())
      found.push_back(group->gid);
  }
  return found;
}

}  // namespace belfry::system
