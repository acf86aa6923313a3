// What is fuzzed, most of it in config/ and probes/: each takes any bytes and must return, within bounds.
#pragma once

#include <array>
#include <string_view>

namespace belfry::fuzz {

struct Target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};

void document(std::string_view bytes);
void load(std::string_view bytes);
void interpolate(std::string_view bytes);
void quantities(std::string_view bytes);
void compose(std::string_view bytes);
void process_compose(std::string_view bytes);
void procfile(std::string_view bytes);
void supervisord(std::string_view bytes);
void units(std::string_view bytes);
void project(std::string_view bytes);  // what `init` reads
void notify(std::string_view bytes);   // daemon/notify/message
// What databases answer, and how they are named: probes/protocols, config/model.
void postgres(std::string_view bytes);
void mysql(std::string_view bytes);
void database_address(std::string_view bytes);
// What servers answer: probes/protocols, and of name servers probes/net/dns_channel.
void redis(std::string_view bytes);
void amqp(std::string_view bytes);
void memcached(std::string_view bytes);
void grpc(std::string_view bytes);
void dns_answer(std::string_view bytes);
void http_answer(std::string_view bytes);
void tcp_answer(std::string_view bytes);
void history(std::string_view bytes);  // history/history
// What clients of the daemon send: daemon/http/wire/parser, the queries of daemon/http/api.
void http_request(std::string_view bytes);
void http_target(std::string_view bytes);
// What members of etcd send: daemon/cluster/etcd.
void etcd_message(std::string_view bytes);
void etcd_stream(std::string_view bytes);

inline constexpr std::array<Target, 26> targets{{{"document", document},
                                                 {"load", load},
                                                 {"interpolate", interpolate},
                                                 {"quantities", quantities},
                                                 {"compose", compose},
                                                 {"process_compose", process_compose},
                                                 {"procfile", procfile},
                                                 {"supervisord", supervisord},
                                                 {"units", units},
                                                 {"project", project},
                                                 {"notify", notify},
                                                 {"postgres", postgres},
                                                 {"mysql", mysql},
                                                 {"database_address", database_address},
                                                 {"redis", redis},
                                                 {"amqp", amqp},
                                                 {"memcached", memcached},
                                                 {"grpc", grpc},
                                                 {"dns_answer", dns_answer},
                                                 {"http_answer", http_answer},
                                                 {"tcp_answer", tcp_answer},
                                                 {"history", history},
                                                 {"http_request", http_request},
                                                 {"http_target", http_target},
                                                 {"etcd_message", etcd_message},
                                                 {"etcd_stream", etcd_stream}}};

}  // namespace belfry::fuzz
