#include "cli/foreign_words.hpp"

#include <span>
#include <utility>
#include <vector>

namespace belfry::cli {
namespace {

using Words = std::span<const std::pair<std::string_view, std::string_view>>;

std::string_view look_up(Words words, std::string_view word) {
  for (const auto& [known, meant] : words) {
    if (known == word) return meant;
  }
  return {};
}

constexpr std::pair<std::string_view, std::string_view> meanings[] = {
    {"ps", "status"},
    {"list", "status"},
    {"list-units", "status"},
    {"show", "status"},
    {"info", "status"},
    {"health", "status --ready"},
    {"is-active", "status --ready"},
    {"is-failed", "status --ready"},
    {"is-system-running", "status --ready"},
    {"top", "status --watch"},
    {"watch", "status --watch"},
    {"monitor", "status --watch"},
    {"stats", "status --watch"},
    {"config", "check"},
    {"configtest", "check"},
    {"validate", "check"},
    {"verify", "check"},
    {"lint", "check"},
    {"convert", "import"},
    {"daemon-reload", "reload"},
    {"try-restart", "restart"},
    {"reload-or-restart", "reload"},
    {"force-reload", "restart"},
    {"halt", "down"},
    {"poweroff", "down"},
    {"rm", "down"},
    {"quit", "down"},
    {"signal", "kill"},
    {"daemon", "up"},
    {"create", "up"},
    {"stacks", "ls"},
    {"projects", "ls"},
    {"log", "logs"},
    {"journalctl", "logs"},
    {"tail", "logs"},
    {"journal", "events"},
    {"history", "events"},
    {"explain", "why"},
    {"diagnose", "why"},
    {"blame", "analyze"},
    {"critical-chain", "analyze"},
    {"list-dependencies", "graph"},
    {"deps", "graph"},
    {"viz", "graph"},
    {"tree", "graph"},
    {"test", "exec"},
    {"wait-for", "wait"},
    {"wait-for-it", "wait"},
};

}  // namespace

std::string_view meant_by(std::string_view word) { return look_up(meanings, word); }

std::span<const std::string_view> foreign_words() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> words;
    for (const auto& [word, meant] : meanings) words.push_back(word);
    return words;
  }();
  return all;
}

std::string_view why_not_here(std::string_view word) {
  constexpr std::string_view images = "belfry starts programs and knows no images";
  constexpr std::string_view boot =
      "belfry starts what its file names; at boot its own unit is what is enabled";
  static constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"build", images},
      {"pull", images},
      {"push", images},
      {"images", images},
      {"commit", images},
      {"cp", "there is one file system"},
      {"port", "a service's port is its own; `belfry status NAME` shows what it has published"},
      {"pause", "nothing is paused; `belfry stop` stops"},
      {"unpause", "nothing is paused; `belfry start` starts"},
      {"scale", "how many there are is said in the file: `replicas`"},
      {"enable", boot},
      {"disable", boot},
      {"mask", "a service with a profile is only started when that is asked for: `profiles`"},
      {"unmask", "a service with a profile is only started when that is asked for: `profiles`"},
      {"edit", "the file is yours to edit; `belfry check` says what is wrong with it"},
      {"cat", "the file is yours to read; `belfry graph` draws it"},
  };
  return look_up(words, word);
}

}  // namespace belfry::cli
