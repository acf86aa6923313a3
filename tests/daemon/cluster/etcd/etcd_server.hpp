// A member of etcd as Debian has it, as a child of the test, on ports of loopback that were free.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace belfry::daemon::etcd::test {

// Owner: the test. Lifecycle: it answers clients when the constructor returns; killed by the destructor.
class EtcdServer {
 public:
  // `arguments` come after those for addresses, folder and name.
  explicit EtcdServer(const std::vector<std::string>& arguments = {}, const std::string& scheme = "http");
  // Several of one cluster.
  static std::vector<std::unique_ptr<EtcdServer>> cluster(std::size_t members);
  ~EtcdServer();
  EtcdServer(const EtcdServer&) = delete;
  EtcdServer& operator=(const EtcdServer&) = delete;

  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] std::string address() const { return endpoint_.substr(endpoint_.find("//") + 2); }
  // Runs etcdctl(1) with these arguments, in a shell; fails the test when it fails.
  void control(const std::string& arguments) const;
  void kill();
  void signal(int number) const;

 private:
  struct Place {
    std::string name, peer, cluster;
  };
  EtcdServer(const Place& place, const std::vector<std::string>& arguments, const std::string& scheme);
  void start(const std::vector<std::string>& arguments);
  void await_readiness();

  std::string folder_;
  std::string endpoint_;
  std::string log_;
  int pid_ = -1;
  int output_ = -1;
  std::future<bool> ready_;
  std::thread reader_;  // of what it says, so that it never waits for room
};

}  // namespace belfry::daemon::etcd::test
