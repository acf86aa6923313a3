#include "daemon/resources/manager_sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "system/copied_fd.hpp"
#include "system/descriptors.hpp"
#include "system/socket_facts.hpp"

namespace belfry::daemon {

namespace {

using system::ActivationSocket;
using system::SocketPlan;

// "belfry/NAME/ADDRESS", with commas for the colons that no name may have (sd_pid_notify_with_fds(3)).
constexpr std::string_view prefix = "belfry/";
constexpr std::size_t longest_name = 255;

std::string name_in_store(const std::string& name, const SocketPlan& plan) {
  std::string made = std::string(prefix) + name + "/" + plan.text();
  std::ranges::replace(made, ':', ',');
  return made;
}

std::optional<std::string> name_from_store(std::string_view stored) {
  if (!stored.starts_with(prefix)) return std::nullopt;
  stored.remove_prefix(prefix.size());
  return std::string(stored.substr(0, stored.find('/')));
}

bool may_be_stored_as(const std::string& name) {
  constexpr char first = ' ';
  constexpr char last = '~';
  return name.size() <= longest_name &&
         std::ranges::all_of(name, [](char c) { return c >= first && c <= last; });
}

Error passed_elsewhere(const std::string& name, const SocketPlan& plan, const std::string& where) {
  return Error::failed("cannot listen on " + plan.text() + ": the service manager has passed the socket `" +
                       name + "` as " + where +
                       " (let `listen` and its socket unit's ListenStream= or ListenDatagram= say the same)");
}

Error called_otherwise(const std::string& name, const SocketPlan& plan, const std::string& theirs) {
  return Error::failed("cannot listen on " + plan.text() + " as `" + name +
                       "`: the service manager listens there and has passed it as `" + theirs +
                       "` (let the name in `listen` and FileDescriptorName= of its socket unit be the same)");
}

}  // namespace

void ManagerSockets::take(std::vector<system::InheritedDescriptor> descriptors) {
  for (system::InheritedDescriptor& one : descriptors) {
    if (auto name = name_from_store(one.name))
      left_.push_back({.stored_as = std::move(one.name), .name = std::move(*name), .fd = std::move(one.fd)});
    else
      passed_.push_back({.name = std::move(one.name), .fd = std::move(one.fd)});
  }
}

Result<ActivationSocket> ManagerSockets::get(const std::string& name, const SocketPlan& plan) {
  const Found passed = find_passed(name, plan);
  if (!passed) return std::unexpected(passed.error());
  if (*passed != passed_.end()) return give(**passed, plan);
  if (const auto left = find_left(name, plan); left != left_.end()) return give(left, plan);
  auto made = bind(name, plan);
  if (made || left_.empty()) return made;
  clear_the_way(plan);
  return bind(name, plan);
}

// One that somebody else has already is not there for this one, who is told so when he binds the same
// address.
ManagerSockets::Found ManagerSockets::find_passed(const std::string& name, const SocketPlan& plan) {
  std::string elsewhere;   // what has this name
  std::string other_name;  // of what is here
  bool is_taken = false;
  for (auto at = passed_.begin(); at != passed_.end(); ++at) {
    const bool fits = system::is_bound_to(at->fd.get(), plan);
    if (at->name == name && fits && at->given < 0) return at;
    is_taken = is_taken || (at->name == name && fits);
    if (at->name == name)
      (elsewhere += elsewhere.empty() ? "" : ", ") += system::describe_socket(at->fd.get());
    if (at->name != name && fits) other_name = at->name;
  }
  if (is_taken) return passed_.end();
  if (!elsewhere.empty()) return std::unexpected(passed_elsewhere(name, plan, elsewhere));
  if (!other_name.empty()) return std::unexpected(called_otherwise(name, plan, other_name));
  return passed_.end();
}

// Its file, mode and backlog are the socket unit's.
Result<ActivationSocket> ManagerSockets::give(Passed& passed, const SocketPlan& plan) {
  system::OwnedFd copy = system::copy_of(passed.fd.get());
  if (!copy)
    return std::unexpected(Error::failed("cannot listen on " + plan.text() + ": " + std::strerror(errno) +
                                         std::string(system::how_to_raise_the_limit)));
  ActivationSocket made =
      ActivationSocket::adopt(std::move(copy), plan, ActivationSocket::Origin::of_somebody_else);
  passed.given = made.fd();
  made.keep_by(*this);
  return made;
}

// By its address; its name decides where there are several (SO_REUSEPORT).
std::vector<ManagerSockets::Left>::iterator ManagerSockets::find_left(const std::string& name,
                                                                      const SocketPlan& plan) {
  auto found = left_.end();
  for (auto at = left_.begin(); at != left_.end(); ++at) {
    if (!system::is_bound_to(at->fd.get(), plan) || !system::is_made_as(at->fd.get(), plan)) continue;
    if (at->name == name) return at;
    if (found == left_.end()) found = at;
  }
  return found;
}

ActivationSocket ManagerSockets::give(std::vector<Left>::iterator left, const SocketPlan& plan) {
  ActivationSocket made =
      ActivationSocket::adopt(std::move(left->fd), plan, ActivationSocket::Origin::of_belfry);
  made.keep_by(*this);
  stored_.push_back({.stored_as = std::move(left->stored_as), .fd = made.fd()});
  left_.erase(left);
  return made;
}

Result<ActivationSocket> ManagerSockets::bind(const std::string& name, const SocketPlan& plan) {
  auto made = ActivationSocket::bind(plan);
  if (!made || store_ == nullptr || store_->room() == 0 || leaving_) return made;
  std::string stored_as = name_in_store(name, plan);
  if (!may_be_stored_as(stored_as)) return made;
  if (stored_.size() + left_.size() >= store_->room()) {
    if (!std::exchange(full_told_, true) && on_remark)
      on_remark(
          "cannot keep all sockets of `listen` open while belfry is started again: the service manager "
          "stores " +
          std::to_string(store_->room()) + " (raise FileDescriptorStoreMax= and FDSTORE= of the unit)");
    return made;
  }
  made->keep_by(*this);
  store(made->fd(), std::move(stored_as));
  return made;
}

void ManagerSockets::store(int fd, std::string stored_as) {
  store_->store(fd, stored_as);
  stored_.push_back({.stored_as = std::move(stored_as), .fd = fd});
}

// Closed here and in the store, with its file.
std::vector<ManagerSockets::Left>::iterator ManagerSockets::drop(std::vector<Left>::iterator left) {
  if (store_ != nullptr) store_->remove(left->stored_as);
  const auto plan = system::plan_of(left->fd.get());
  if (plan && system::is_made_as(left->fd.get(), *plan)) {
    [[maybe_unused]] const auto closed =
        ActivationSocket::adopt(std::move(left->fd), *plan, ActivationSocket::Origin::of_belfry);
  }
  return left_.erase(left);
}

// Of another time: the file has changed since, and so nobody wants what keeps the new one from being bound.
void ManagerSockets::clear_the_way(const SocketPlan& plan) {
  for (auto at = left_.begin(); at != left_.end();)
    at = system::is_in_the_way(at->fd.get(), plan) ? drop(at) : std::next(at);
  // As long as the manager has it, too, its address is taken.
  if (store_ != nullptr) store_->settle();
}

void ManagerSockets::give_up_all_but(const std::set<std::string>& names) {
  for (auto at = left_.begin(); at != left_.end();) at = names.contains(at->name) ? std::next(at) : drop(at);
}

std::vector<std::string> ManagerSockets::unknown(const std::set<std::string>& names) const {
  std::vector<std::string> found;
  for (const Passed& one : passed_) {
    if (!names.contains(one.name))
      found.push_back("`" + one.name + "` (" + system::describe_socket(one.fd.get()) + ")");
  }
  return found;
}

// Sockets that share a port have one name in the store, by which all of them are taken out.
bool ManagerSockets::let_go(int fd) {
  if (const auto passed = std::ranges::find(passed_, fd, &Passed::given); passed != passed_.end()) {
    passed->given = -1;
    return true;
  }
  const auto stored = std::ranges::find(stored_, fd, &Stored::fd);
  if (stored == stored_.end()) return false;
  const std::string name = std::move(stored->stored_as);
  stored_.erase(stored);
  if (leaving_ || store_ == nullptr) return leaving_;
  store_->remove(name);
  for (const Stored& other : stored_)
    if (other.stored_as == name) store_->store(other.fd, name);
  return false;
}

}  // namespace belfry::daemon
