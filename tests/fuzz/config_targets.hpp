// What is fuzzed, most of it in config/: each takes any bytes and must return, within bounds.
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
void notify(std::string_view bytes);  // daemon/notify/message
void http_answer(std::string_view bytes);
void tcp_answer(std::string_view bytes);

inline constexpr std::array<Target, 10> targets{{{"document", document},
                                                 {"load", load},
                                                 {"interpolate", interpolate},
                                                 {"quantities", quantities},
                                                 {"compose", compose},
                                                 {"process_compose", process_compose},
                                                 {"procfile", procfile},
                                                 {"notify", notify},
                                                 {"http_answer", http_answer},
                                                 {"tcp_answer", tcp_answer}}};

}  // namespace belfry::fuzz
