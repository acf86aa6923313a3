#include "tests/probes/net/fake_name_server.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

#include "channels/asio.hpp"

namespace belfry::test {

namespace {

using asio::ip::tcp;
using asio::ip::udp;

constexpr std::size_t header_size = 12;

std::string big_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return out;
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>((static_cast<unsigned char>(bytes[at]) << 8) |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

std::string encoded(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return out + '\0';
}

DnsRequest parse(std::string_view bytes, bool over_tcp) {
  DnsRequest request;
  request.over_tcp = over_tcp;
  request.id = number_at(bytes, 0);
  std::size_t at = header_size;
  while (bytes[at] != 0) {
    const auto length = static_cast<std::size_t>(bytes[at]);
    request.name += (request.name.empty() ? "" : ".") + std::string(bytes.substr(at + 1, length));
    at += length + 1;
  }
  request.type = static_cast<RecordType>(number_at(bytes, at + 1));
  request.question = bytes.substr(header_size, at + 5 - header_size);
  return request;
}

template <class Bytes>
std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

DnsRecord v4(std::string_view name, std::string_view address, std::uint32_t ttl) {
  return {std::string(name), RecordType::a, text_of(asio::ip::make_address_v4(address).to_bytes()), ttl};
}

DnsRecord v6(std::string_view name, std::string_view address, std::uint32_t ttl) {
  return {std::string(name), RecordType::aaaa, text_of(asio::ip::make_address_v6(address).to_bytes()), ttl};
}

DnsRecord cname(std::string_view name, std::string_view target) {
  return {std::string(name), RecordType::cname, encoded(target)};
}

std::string reply(const DnsRequest& request, unsigned code, const std::vector<DnsRecord>& records,
                  bool truncated) {
  const std::uint32_t flags = 0x8180U | (truncated ? 0x0200U : 0U) | code;
  std::string out = big_endian(request.id, 2) + big_endian(flags, 2) + big_endian(1, 2) +
                    big_endian(static_cast<std::uint32_t>(records.size()), 2) + big_endian(0, 4) +
                    request.question;
  for (const DnsRecord& record : records) {
    out += record.name == request.name ? std::string("\xC0\x0C") : encoded(record.name);
    out += big_endian(static_cast<std::uint32_t>(record.type), 2) + big_endian(1, 2) +
           big_endian(record.ttl, 4) + big_endian(static_cast<std::uint32_t>(record.data.size()), 2) +
           record.data;
  }
  return out;
}

// Shared with Asio's pending handlers.
struct FakeNameServer::State : std::enable_shared_from_this<State> {
  State(Loop& loop, Answer a) : answer(std::move(a)), datagrams(loop.io()), acceptor(loop.io()) {
    while (!bind()) {
    }
    datagrams.non_blocking(true);
  }

  // One port for both; the kernel chooses it for one protocol and does not know of the other.
  bool bind() {
    error_code taken;
    const asio::ip::address here = asio::ip::address_v4::loopback();
    acceptor = tcp::acceptor(acceptor.get_executor(), tcp::endpoint(here, 0));
    datagrams = udp::socket(datagrams.get_executor(), udp::v4());
    datagrams.bind(udp::endpoint(here, acceptor.local_endpoint().port()), taken);
    return !taken;
  }

  struct Connection {
    explicit Connection(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    std::array<char, 2> length{};
    std::string bytes;
  };

  std::vector<std::string> answers_to(std::string_view bytes, bool over_tcp) {
    const DnsRequest request = parse(bytes, over_tcp);
    asked.push_back(request.text() + (over_tcp ? " over TCP" : ""));
    return answer(request);
  }

  void wait_for_datagrams() {
    datagrams.async_wait(udp::socket::wait_read, [self = shared_from_this()](const error_code& failed) {
      if (failed) return;
      self->answer_datagrams();
      self->wait_for_datagrams();
    });
  }
  void answer_datagrams() {
    std::array<char, 1500> bytes{};
    udp::endpoint from;
    error_code failed;
    for (;;) {
      const std::size_t size = datagrams.receive_from(asio::buffer(bytes), from, 0, failed);
      if (failed) return;
      for (const std::string& one : answers_to({bytes.data(), size}, false))
        datagrams.send_to(asio::buffer(one), from, 0, failed);
    }
  }

  void accept() {
    acceptor.async_accept([self = shared_from_this()](const error_code& failed, tcp::socket socket) {
      if (failed) return;
      self->read(std::make_shared<Connection>(std::move(socket)));
      self->accept();
    });
  }
  void read(const std::shared_ptr<Connection>& connection) {
    asio::async_read(connection->socket, asio::buffer(connection->length),
                     [self = shared_from_this(), connection](const error_code& failed, std::size_t) {
                       if (!failed) self->read_body(connection);
                     });
  }
  void read_body(const std::shared_ptr<Connection>& connection) {
    connection->bytes.resize(number_at({connection->length.data(), 2}, 0));
    asio::async_read(connection->socket, asio::buffer(connection->bytes),
                     [self = shared_from_this(), connection](const error_code& failed, std::size_t) {
                       if (failed) return;
                       std::string out;
                       for (const std::string& one : self->answers_to(connection->bytes, true))
                         out += big_endian(static_cast<std::uint32_t>(one.size()), 2) + one;
                       connection->bytes = std::move(out);
                       self->write(connection);
                     });
  }
  void write(const std::shared_ptr<Connection>& connection) {
    asio::async_write(connection->socket, asio::buffer(connection->bytes),
                      [self = shared_from_this(), connection](const error_code& failed, std::size_t) {
                        if (!failed) self->read(connection);
                      });
  }

  Answer answer;
  udp::socket datagrams;
  tcp::acceptor acceptor;
  std::vector<std::string> asked;
};

FakeNameServer::FakeNameServer(Loop& loop, Answer answer)
    : state_(std::make_shared<State>(loop, std::move(answer))) {
  state_->wait_for_datagrams();
  state_->accept();
}

FakeNameServer::~FakeNameServer() {
  error_code ignored;
  state_->datagrams.close(ignored);
  state_->acceptor.close(ignored);
}

std::string FakeNameServer::address() const {
  return "127.0.0.1:" + std::to_string(state_->datagrams.local_endpoint().port());
}

const std::vector<std::string>& FakeNameServer::asked() const { return state_->asked; }

void FakeNameServer::answer_with(Answer answer) { state_->answer = std::move(answer); }

}  // namespace belfry::test
