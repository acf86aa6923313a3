// Names of hosts in a compose file. Containers reach each other by the names of their services; processes of
// one host do not.
#include <algorithm>
#include <array>

#include "config/import/compose_service.hpp"
#include "config/import/hosts.hpp"

namespace belfry::config {
namespace {

std::string_view text_of(const Node& service, std::string_view key) {
  const Node* const found = service.find(key);
  return found == nullptr ? std::string_view() : found->text();
}

void add_aliases(const Node& service, std::vector<std::string_view>& names) {
  if (const Node* const networks = service.find("networks"))
    for (const Entry& network : networks->entries())
      if (const Node* const aliases = network.value->find("aliases"))
        for (const Node* alias : aliases->items()) names.push_back(alias->text());
  if (const Node* const links = service.find("links"))
    for (const Node* link : links->items())
      if (const auto colon = link->text().find(':'); colon != std::string_view::npos)
        names.push_back(link->text().substr(colon + 1));
}

// A line of a shell as its words, a word as itself.
std::vector<std::string> all_words(const Node& node) {
  std::vector<std::string> words;
  for (const std::string& item : Carrier::texts(node)) {
    Words split = split_words(item);
    if (split.unclosed) split.words = {item};
    words.insert(words.end(), split.words.begin(), split.words.end());
  }
  return words;
}

bool is_port(std::string_view word) {
  return word.size() >= 2 && word.size() <= 5 &&
         std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

// The first name that a command uses as a host: as in an address, behind `-h`, or before a port.
std::string host_in_command(const std::vector<std::string>& words, const Names& names) {
  constexpr auto options = std::to_array<std::string_view>({"-h", "-H", "--host", "--hostname"});
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool named = i > 0 && std::ranges::find(options, words[i - 1]) != options.end();
    const bool before_port = i + 1 < words.size() && is_port(words[i + 1]);
    const auto equals = words[i].starts_with('-') ? words[i].find('=') : std::string::npos;
    std::string host = host_in(named || before_port ? "HOST" : "", words[i], names);
    if (host.empty() && equals != std::string::npos)
      host = host_in(words[i].substr(0, equals), words[i].substr(equals + 1), names);
    if (!host.empty()) return host;
  }
  return {};
}

}  // namespace

std::vector<std::string_view> host_names(const Node& services) {
  std::vector<std::string_view> names;
  for (const Entry& entry : services.entries()) {
    names.push_back(entry.key->text());
    names.push_back(text_of(*entry.value, "hostname"));
    names.push_back(text_of(*entry.value, "container_name"));
    add_aliases(*entry.value, names);
  }
  std::erase_if(names, [](std::string_view name) { return name.empty() || name == "localhost"; });
  return names;
}

// In containers the name of a service is a host; here it is none.
void ComposeService::hosts() {
  std::string where;
  const auto found = [&](std::string_view name, const std::string& host, const Node& at) {
    if (host.empty()) return;
    where += (where.empty() ? "" : ", ") + std::string(name);
    file_.carrier.left(at, "the host name `" + host + "` in " + std::string(name),
                       "services share the host's network: write 127.0.0.1", key_.text());
  };
  if (const Node* const environment = find("environment")) {
    for (const Entry& entry : environment->entries())
      found(entry.key->text(), host_in(entry.key->text(), entry.value->text(), file_.hosts), *entry.value);
    for (const Node* item : environment->items()) {
      const std::string_view text = item->text();
      const auto equals = std::min(text.find('='), text.size());
      const std::string_view name = text.substr(0, equals);
      found(name, host_in(name, text.substr(std::min(equals + 1, text.size())), file_.hosts), *item);
    }
  }
  for (const std::string_view name : {"entrypoint", "command"})
    if (const Node* const given = find(name))
      found(name, host_in_command(all_words(*given), file_.hosts), *given);
  const Node* const check = find("healthcheck");
  if (const Node* const test = check == nullptr ? nullptr : check->find("test"))
    found("healthcheck", host_in_command(all_words(*test), file_.hosts), *test);
  if (!where.empty())
    out_.comment("decide: hosts in " + where + " are names of services; here they are 127.0.0.1");
}

}  // namespace belfry::config
