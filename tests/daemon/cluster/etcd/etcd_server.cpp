#include "tests/daemon/cluster/etcd/etcd_server.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "tests/probes/rig.hpp"

namespace belfry::daemon::etcd::test {

namespace {

constexpr std::string_view is_ready = "ready to serve client requests";

std::string new_folder() {
  std::string name = std::filesystem::temp_directory_path() / "belfry-etcd-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  return name;
}

std::string free_address() { return belfry::test::LocalSocket().text(); }

}  // namespace

EtcdServer::EtcdServer(const std::vector<std::string>& arguments, const std::string& scheme)
    : EtcdServer({.name = "test", .peer = "http://" + free_address(), .cluster = {}}, arguments, scheme) {
  await_readiness();
}

EtcdServer::EtcdServer(const Place& place, const std::vector<std::string>& arguments,
                       const std::string& scheme)
    : folder_(new_folder()), endpoint_(scheme + "://" + free_address()) {
  std::vector<std::string> all{
      "etcd", "--name=" + place.name, "--data-dir=" + folder_ + "/data", "--listen-client-urls=" + endpoint_,
      "--advertise-client-urls=" + endpoint_, "--listen-peer-urls=" + place.peer,
      "--initial-advertise-peer-urls=" + place.peer,
      "--initial-cluster=" + (place.cluster.empty() ? place.name + "=" + place.peer : place.cluster),
      // Of the peers' names the cluster's id is made, and ports come round again.
      "--initial-cluster-token=" + (place.cluster.empty() ? folder_ : place.cluster)};
  all.insert(all.end(), arguments.begin(), arguments.end());
  start(all);
}

std::vector<std::unique_ptr<EtcdServer>> EtcdServer::cluster(std::size_t members) {
  std::vector<Place> places;
  std::string all;
  for (std::size_t i = 0; i < members; ++i) {
    places.push_back({.name = "m" + std::to_string(i), .peer = "http://" + free_address(), .cluster = {}});
    all += (all.empty() ? "" : ",") + places.back().name + "=" + places.back().peer;
  }
  std::vector<std::unique_ptr<EtcdServer>> servers;
  for (Place& place : places) {
    place.cluster = all;
    servers.emplace_back(
        new EtcdServer(place, {"--heartbeat-interval=50", "--election-timeout=500"}, "http"));
  }
  for (const auto& server : servers) server->await_readiness();
  return servers;
}

void EtcdServer::start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
  std::promise<bool> ready;
  ready_ = ready.get_future();
  reader_ = std::thread([this, ready = std::move(ready)]() mutable {
    std::array<char, 4096> buffer{};
    bool is_told = false;
    for (ssize_t got = 0; (got = ::read(output_, buffer.data(), buffer.size())) > 0;) {
      if (is_told) continue;
      log_.append(buffer.data(), static_cast<std::size_t>(got));
      is_told = log_.contains(is_ready);
      if (is_told) ready.set_value(true);
    }
    if (!is_told) ready.set_value(false);
  });
}

void EtcdServer::await_readiness() {
  EXPECT_TRUE(ready_.get()) << "etcd does not start; is it installed (deploy/install-deps test)? " << log_;
}

void EtcdServer::signal(int number) const { EXPECT_EQ(::kill(pid_, number), 0); }

void EtcdServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  reader_.join();
  ::close(output_);
}

EtcdServer::~EtcdServer() {
  kill();
  std::filesystem::remove_all(folder_);
}

void EtcdServer::control(const std::string& arguments) const {
  const std::string command =
      "ETCDCTL_API=3 etcdctl --endpoints=" + endpoint_ + " " + arguments + " >" + folder_ + "/ctl 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace belfry::daemon::etcd::test
