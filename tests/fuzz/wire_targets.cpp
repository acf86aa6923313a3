// What servers answer to probes, from anybody: Redis, AMQP, memcached, gRPC, name servers.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "config_targets.hpp"
#include "probes/net/dns_channel.hpp"
#include "probes/protocols/amqp_greeting.hpp"
#include "probes/protocols/grpc_health.hpp"
#include "probes/protocols/grpc_message.hpp"
#include "probes/protocols/memcached_version.hpp"
#include "probes/protocols/redis_ping.hpp"
#include "tests/probes/net/fake_name_server.hpp"
#include "tests/probes/protocols/conversation.hpp"
#include "tests/probes/protocols/http2_frames.hpp"
#include "told.hpp"

namespace belfry::fuzz {

namespace {

bool holds(probes::Dialogue& dialogue, std::string_view bytes, std::size_t piece) {
  const std::string told = test::outcome(dialogue, bytes, piece);
  look_at(told);
  if (told == "listens") look_at(test::said_by(dialogue.ended()));
  return told == "done";
}

// Ready or not does not depend on how the bytes come.
void in_pieces(probes::Dialogue& dialogue, std::string_view bytes) {
  const bool whole = holds(dialogue, bytes, std::string_view::npos);
  if (holds(dialogue, bytes, 1) != whole || holds(dialogue, bytes, 7) != whole) std::abort();
}

// One channel and one server for all inputs: what is left over of one is part of the next.
struct NameServer {
  NameServer() {
    if (!channel.open({.servers = server.address(), .only_servers = true})) std::abort();
  }
  Loop loop;
  std::string answer;
  test::FakeNameServer server{
      loop, [this](const test::DnsRequest& request) {
        // Of the right number, with and without the question that was asked; then one
        // that is taken in any case.
        const std::string id = test::big_endian(request.id, 2);
        std::vector<std::string> all{id + answer};
        if (answer.size() >= 10)
          all.push_back(id + answer.substr(0, 10) + request.question + answer.substr(10));
        all.push_back(test::reply(request, test::no_such_name));
        return all;
      }};
  probes::DnsChannel channel{loop};
};

Task<void> look_up(Context& ctx, probes::DnsChannel& channel,
                   std::optional<Result<probes::DnsChannel::Addresses>>& into) {
  Result<probes::DnsChannel::Addresses> found = co_await channel.look_up(ctx, "db.internal");
  into.emplace(std::move(found));
}

}  // namespace

void redis(std::string_view bytes) {
  probes::RedisPing ping({});
  in_pieces(ping, bytes);
  probes::RedisPing login({.user = "app", .password = "s3cret", .database = 3});
  in_pieces(login, bytes);
}

void amqp(std::string_view bytes) {
  probes::AmqpGreeting dialogue;
  in_pieces(dialogue, bytes);
}

void memcached(std::string_view bytes) {
  probes::MemcachedVersion dialogue;
  in_pieces(dialogue, bytes);
}

// As a whole stream; as what follows SETTINGS; as headers; as a body. What is a flood in one piece is none in
// many, so the outcomes may differ.
void grpc(std::string_view bytes) {
  probes::GrpcHealth dialogue({.authority = "api:9000", .service = "shop"});
  const std::string head = test::settings() + test::good_headers();
  for (const std::string& stream :
       {std::string(bytes), test::settings() + std::string(bytes), head + std::string(bytes),
        test::settings() + test::http2_frame(1, test::end_headers, 1, bytes) + test::trailers("0"),
        head + test::data_frame(bytes) + test::trailers("0")})
    for (const std::size_t piece : {std::string_view::npos, std::size_t{5}}) holds(dialogue, stream, piece);
  (void)probes::health_status(bytes);
  (void)probes::percent_decoded(bytes);
}

void dns_answer(std::string_view bytes) {
  static NameServer& names = *new NameServer;  // for ever: it ends after everything that uses it
  names.answer = bytes.substr(0, 4096);        // a datagram, with room to spare
  Context root(names.loop);
  Context ctx(root, names.loop.now() + std::chrono::seconds(5));
  std::optional<Result<probes::DnsChannel::Addresses>> found;
  TaskHandle task = spawn(names.loop, "look up", look_up(ctx, names.channel, found));
  names.loop.run();
  if (!found || names.channel.in_flight() != 0) std::abort();
  if (*found ? (*found)->empty() || (*found)->size() > 32 : found->error().text().empty()) std::abort();
}

}  // namespace belfry::fuzz
