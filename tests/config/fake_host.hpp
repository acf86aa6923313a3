// A machine that has what a test says it has, and nothing else.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/validate/host.hpp"

namespace belfry::config::testing_support {

// Owner: the test. Lifecycle: outlives the load. Cancellation: none.
class FakeHost : public Host {
 public:
  std::set<std::string> files;                      // executable ones, unless `refused` names them
  std::map<std::string, std::string> refused;       // path → why it cannot be executed
  std::map<std::string, std::string> interpreters;  // script → what it has env search
  std::set<std::string> directories, users, groups;
  std::set<std::uint16_t> taken;
  int questions = 0;

  std::string why_no_such_user(Who who) override {
    ++questions;
    if (!who.user.empty() && !users.contains(std::string(who.user)))
      return "this host has no such user: " + std::string(who.user);
    if (!who.group.empty() && !groups.contains(std::string(who.group)))
      return "this host has no such group: " + std::string(who.group);
    return {};
  }
  bool is_file(const std::string& path) override {
    ++questions;
    return files.contains(path) || refused.contains(path);
  }
  std::string why_not_executable(const std::string& path, Who) override {
    const auto found = refused.find(path);
    return found == refused.end() ? std::string() : found->second;
  }
  std::string searched_interpreter(const std::string& path) override {
    const auto found = interpreters.find(path);
    return found == interpreters.end() ? std::string() : found->second;
  }
  std::string why_no_directory(const std::string& path, Who) override {
    return directories.contains(path) ? "" : "does not exist";
  }
  std::string why_not_readable(const std::string& path) override {
    return files.contains(path) ? "" : "does not exist";
  }
  std::string why_not_appendable(const std::string& path) override {
    return directories.contains(path.substr(0, path.rfind('/'))) ? "" : "cannot be made: no such directory";
  }
  std::string why_no_socket(const std::string& path) override {
    return files.contains(path) ? "" : "does not exist";
  }
  std::string why_port_taken(bool, const std::string&, std::uint16_t port, std::string_view) override {
    return taken.contains(port) ? "nginx (4711) has it" : "";
  }
  std::vector<Refusal> refusals;  // of every service
  std::vector<Refusal> what_is_refused(const Service&) override { return refusals; }
  [[nodiscard]] std::string_view default_path() const override { return "/usr/bin:/bin"; }
};

}  // namespace belfry::config::testing_support
