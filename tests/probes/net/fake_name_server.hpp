// A name server on loopback that says what a test wants it to say, on the loop of the one who asks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/loop.hpp"

namespace belfry::test {

enum class RecordType : std::uint16_t { a = 1, cname = 5, aaaa = 28 };

// What is asked, as it came.
struct DnsRequest {
  std::uint16_t id = 0;
  std::string name;  // "db.test"
  RecordType type = RecordType::a;
  std::string question;  // its bytes, which an answer repeats
  bool over_tcp = false;
  [[nodiscard]] std::string text() const { return name + (type == RecordType::a ? " A" : " AAAA"); }
};

struct DnsRecord {
  std::string name;
  RecordType type = RecordType::a;
  std::string data;  // in the wire's format
  std::uint32_t ttl = 60;
};

DnsRecord v4(std::string_view name, std::string_view address, std::uint32_t ttl = 60);
DnsRecord v6(std::string_view name, std::string_view address, std::uint32_t ttl = 60);
DnsRecord cname(std::string_view name, std::string_view target);

// A whole answer.
constexpr unsigned no_error = 0;
constexpr unsigned server_failure = 2;
constexpr unsigned no_such_name = 3;
constexpr unsigned refused = 5;
std::string reply(const DnsRequest& request, unsigned code, const std::vector<DnsRecord>& records = {},
                  bool truncated = false);

// UDP and TCP on one port of 127.0.0.1. Owner: the test; outlives the run of its loop.
class FakeNameServer {
 public:
  // The datagrams (or messages) that answer; none is silence.
  using Answer = std::function<std::vector<std::string>(const DnsRequest&)>;

  FakeNameServer(Loop& loop, Answer answer);
  ~FakeNameServer();
  FakeNameServer(const FakeNameServer&) = delete;
  FakeNameServer& operator=(const FakeNameServer&) = delete;

  [[nodiscard]] std::string address() const;  // "127.0.0.1:5353"
  [[nodiscard]] const std::vector<std::string>& asked() const;
  void answer_with(Answer answer);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace belfry::test
