// What other hosts say of services that run there, as a probe asks for it.
//
// It is known as of a moment: of the last time that all who keep it agreed on it. What is told in between is
// news, and makes it no older. Where nobody can be asked, what was known last is still all that is known.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "probes/probe.hpp"

namespace belfry::probes {

// One host on which the service is ready.
struct RemoteMember {
  std::string host;
  std::int64_t generation = 0;  // higher than that of any earlier period, of whichever host
  std::vector<std::pair<std::string, std::string>> outputs;
  friend bool operator==(const RemoteMember&, const RemoteMember&) = default;
};

// Owner: a probe. Lifecycle: told of news until it goes.
class RemoteService {
 public:
  RemoteService() = default;
  RemoteService(const RemoteService&) = delete;
  RemoteService& operator=(const RemoteService&) = delete;
  virtual ~RemoteService() = default;

  // In the order of the hosts' names.
  [[nodiscard]] virtual std::vector<RemoteMember> members() const = 0;
  // As of when they are agreed on; TimePoint::min(): nobody has ever said anything.
  [[nodiscard]] virtual TimePoint known_as_of() const = 0;
  // Why nobody can be asked at the moment; empty: somebody can.
  [[nodiscard]] virtual Error trouble() const = 0;
  // Why a host is not there, in its own words, where it has left some; empty: nobody knows.
  [[nodiscard]] virtual std::string last_words_of(std::string_view host) const = 0;
  // They are asked for again; what is known afterwards is no older than this call. Told as news.
  virtual void look() = 0;
  virtual void tell(NewsListener* listener) = 0;
};

// Owner: the daemon. Lifecycle: outlives what follows it.
class RemoteServices {
 public:
  virtual std::unique_ptr<RemoteService> follow(std::string_view service) = 0;

 protected:
  ~RemoteServices() = default;
};

}  // namespace belfry::probes
