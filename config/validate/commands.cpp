// What cannot run here: programs that are not there or not executable, missing directories, unknown users,
// ports that are taken. Warnings, because the file may be meant for another machine; errors with --strict.
#include <algorithm>
#include <functional>
#include <map>
#include <unordered_map>

#include "config/keys/quote.hpp"
#include "config/model/address.hpp"
#include "config/model/output_reference.hpp"
#include "config/validate/host.hpp"
#include "config/validate/validate.hpp"

namespace belfry::config {
namespace {

Span span_of(const Node* node, Place otherwise) { return node != nullptr ? node->span() : Span(otherwise); }

const Node* below(const Node* mapping, std::string_view key) {
  return mapping == nullptr || !mapping->is_mapping() ? nullptr : mapping->find(key);
}

// The program of a command: of a list its first item.
const Node* program_node(const Node* command) {
  return command != nullptr && command->is_sequence() && command->size > 0 ? command->items().front()
                                                                           : command;
}

constexpr std::string_view absent = "does not exist";

// One pass over the services of a stack.
class HostCheck {
 public:
  HostCheck(Decoder& decoder, const StackDraft& draft, Host& host)
      : decoder_(decoder), draft_(draft), host_(host) {}

  void run() {
    for (std::size_t i = 0; i < draft_.stack.services.size(); ++i) {
      if (!draft_.stack.services[i].enabled || is_repetition(draft_, i)) continue;
      service_ = &draft_.stack.services[i];
      mapping_ = draft_.origins[i].mapping;
      people();
      missing_directory_ = false;
      directory();
      commands();
      files();
      ports();
      log(i);
    }
    of_the_stack();
  }

 private:
  void warn(std::string_view rule, Span where, std::string message, std::string help) {
    decoder_.diagnostics().warning(rule, where, std::move(message), std::move(help));
  }

  [[nodiscard]] Host::Who who() const {
    return {*service_->user,
            service_->extras ? std::string_view(service_->extras->group) : std::string_view()};
  }

  // What belfry itself is to use.
  void of_the_stack() {
    const Stack& stack = draft_.stack;
    for (const std::string& group : stack.control.allow)
      if (const std::string& why = no_such_user({"", group}); !why.empty())
        warn("unknown-user", {0, 0, 0}, "`control.allow`: " + why, "create it, or name another one");
    if (const std::string& file = stack.control.token_file; !file.empty())
      if (const std::string why = host_.why_not_readable(file); !why.empty())
        warn("unreadable-file", {0, 0, 0}, "`control.token_file`: " + quote(file) + " " + why,
             "create it, or correct the path");
    if (stack.http.tls)
      for (const std::string* file :
           {&stack.http.tls->cert, &stack.http.tls->key, &stack.http.tls->client_ca})
        if (const std::string why = file->empty() ? std::string() : host_.why_not_readable(*file);
            !why.empty())
          warn("unreadable-file", Span(stack.http.place), "`http.tls`: " + quote(*file) + " " + why,
               "create it, or correct the path");
    for (const std::string& address : stack.http.listen)
      if (const auto parsed = parse_host_port(address); parsed && !address.starts_with("unix:"))
        port(false, parsed->host, parsed->port, Span(stack.http.place));
  }

  // --- users
  const std::string& no_such_user(Host::Who whom) {
    std::string key(whom.user);
    key.append(":").append(whom.group);
    const auto [found, fresh] = users_.try_emplace(std::move(key));
    if (fresh) found->second = host_.why_no_such_user(whom);
    return found->second;
  }

  void person(Host::Who whom, Span where) {
    if (whom.user.empty() && whom.group.empty()) return;
    if (const std::string& why = no_such_user(whom); !why.empty())
      warn("unknown-user", where, quote(service_->name) + " cannot start here: " + why,
           "create it on the host, or name another one");
  }

  void people() {
    const Node* user = mapping_->find("user");
    person(who(), span_of(user != nullptr ? user : mapping_->find("group"), service_->place));
    if (!service_->extras) return;
    for (const ListenSocket& socket : service_->extras->listen)
      person({socket.owner, socket.group}, Span(socket.place));
  }

  // --- directories and files
  void directory() {
    const Node* const written = mapping_->find("working_dir");
    if (written == nullptr || service_->command.empty()) return;
    const std::string path = service_->working_dir.str();
    const std::string& why = once("d", path, [&] { return host_.why_no_directory(path, who()); });
    missing_directory_ = !why.empty();
    if (missing_directory_)
      warn("no-such-directory", written->span(), "`working_dir`: " + quote(path) + " " + why,
           "create it, or correct the path");
  }

  void files() {
    if (!service_->extras) return;
    const std::string& input = service_->extras->standard_input;
    if (input.empty() || input == "inherit") return;
    if (const std::string& why = once("r", input, [&] { return host_.why_not_readable(input); });
        !why.empty())
      warn("unreadable-file", span_of(mapping_->find("stdin"), service_->place),
           "`stdin`: " + quote(input) + " " + why, "create it, or correct the path");
  }

  // --- commands
  void commands() {
    command(service_->command, program_node(mapping_->find("command")), service_->place);
    probes(service_->ready);
    if (service_->live) probes(*service_->live);
    if (!service_->extras) return;
    const ServiceExtras& extras = *service_->extras;
    for (const auto& [key, hook] : {std::pair("pre_start", &extras.pre_start),
                                    {"post_start", &extras.post_start},
                                    {"pre_stop", &extras.pre_stop},
                                    {"post_stop", &extras.post_stop}})
      command(*hook, program_node(mapping_->find(key)), service_->place);
    command(extras.reload_command, program_node(below(mapping_->find("reload"), "command")), service_->place);
    for (const OwnBell& bell : extras.bells) probes(bell.probes);
  }

  void probes(const ProbeSet& set) {
    for (const Probe& probe : set.probes)
      if (probe.kind == Probe::Kind::exec) command(*probe.command, nullptr, probe.place);
  }

  void command(const Command& words, const Node* node, Place otherwise) {
    // From a directory that is not there nothing relative can be said.
    if (words.empty() || has_reference(words.front()) ||
        (missing_directory_ && !words.front().starts_with('/')))
      return;
    const Finding& finding = look_at(words.front());
    if (!finding.message.empty())
      warn("no-such-command", span_of(node, otherwise), finding.message, finding.help);
  }

  struct Finding {
    std::string message, help;
  };

  // The same program of ten thousand services is looked at once.
  const Finding& look_at(const std::string& word) {
    std::string key = word;
    key.append(1, '\n').append(who().user).append(1, '\n').append(who().group).append(1, '\n');
    key.append(own_path());
    if (!word.starts_with('/')) key.append(1, '\n').append(service_->working_dir.str());
    const auto [found, fresh] = findings_.try_emplace(std::move(key));
    if (fresh) found->second = word.contains('/') ? by_path(word) : by_search(word);
    return found->second;
  }

  static std::string said_of(const std::string& path, const std::string& why) {
    return quote(path) + (why == absent ? " " : ": ") + why;
  }

  std::string_view own_path() const {
    for (const auto& [name, value] : service_->environment)
      if (name == "PATH") return value;
    return service_->clean_environment ? "-" : "";
  }

  Finding by_path(const std::string& word) {
    const std::string path = decoder_.absolute(word, service_->working_dir);
    const std::string why = why_not(path);
    if (why.empty()) return by_env(path);
    if (why != absent) return {said_of(path, why), "belfry would start it, and fail for the same reason"};
    return {said_of(path, why),
            word.starts_with('/')
                ? "install it, or correct the path"
                : "relative commands count from `working_dir`, which is " + service_->working_dir.str()};
  }

  static std::string joined(std::string_view directory, std::string_view name) {
    return std::string(directory).append("/").append(name);
  }

  // As execvp goes on: who may not be executed is passed over for one that may.
  Finding by_search(const std::string& word) {
    std::string first;
    for (const std::string& directory : search_path()) {
      const std::string path = decoder_.absolute(joined(directory, word), service_->working_dir);
      if (!is_file(path)) continue;
      const std::string why = why_not(path);
      if (why.empty()) return by_env(path);
      if (first.empty()) first = said_of(path, why);
    }
    if (!first.empty()) return {first, "install it, or correct the command"};
    return {quote(word) + " is in no directory of the service's $PATH",
            "install it, correct the name, or write its path"};
  }

  // `#!/usr/bin/env node` fails after the exec, with a message of env's own.
  Finding by_env(const std::string& script) {
    const std::string& name = once("e", script, [&] { return host_.searched_interpreter(script); });
    if (name.empty()) return {};
    for (const std::string& directory : search_path())
      if (is_file(decoder_.absolute(joined(directory, name), service_->working_dir))) return {};
    return {quote(script) + " asks env for its interpreter " + quote(name) +
                ", which is in no directory of the service's $PATH",
            "install it, or set PATH in `environment`"};
  }

  std::string why_not(const std::string& path) {
    std::string key(who().user);
    return once("x" + key, path, [&] {
      return host_.is_file(path) ? host_.why_not_executable(path, who())
                                 : with_default(host_.why_not_executable(path, who()), absent);
    });
  }
  static std::string with_default(std::string text, std::string_view otherwise) {
    return text.empty() ? std::string(otherwise) : text;
  }
  bool is_file(const std::string& path) {
    return once("f", path, [&] { return std::string(host_.is_file(path) ? "yes" : ""); }) == "yes";
  }

  // The service's own PATH, else belfry's, as it will be inherited.
  std::vector<std::string> search_path() const {
    std::optional<std::string> path;
    if (!service_->clean_environment) path = decoder_.variable("PATH");
    for (const auto& [name, value] : service_->environment)
      if (name == "PATH") path = value;
    std::string_view rest = path ? std::string_view(*path) : host_.default_path();
    std::vector<std::string> directories;
    for (;;) {
      const auto colon = rest.find(':');
      directories.emplace_back(colon == 0 || rest.empty() ? "." : rest.substr(0, colon));
      if (colon == std::string_view::npos) return directories;
      rest.remove_prefix(colon + 1);
    }
  }

  // --- ports
  void ports() {
    for (const Probe& probe : service_->ready.probes)
      if (probe.kind == Probe::Kind::port && probe.port != 0)
        port(probe.udp, "", probe.port, span_of(below(mapping_->find("ready"), "port"), probe.place));
    if (!service_->extras) return;
    for (const ListenSocket& socket : service_->extras->listen)
      if (socket.kind == ListenSocket::Kind::unix_stream)
        socket_directory(socket);
      else if (socket.port != 0 && !socket.reuse_port)
        port(socket.kind == ListenSocket::Kind::udp, socket.address, socket.port, Span(socket.place));
  }

  // --- where its lines go
  void log(std::size_t index) {
    if (!service_->extras) return;
    const Log& log = service_->extras->log;
    if (!log.file.empty())
      if (const std::string& why = once("l", log.file, [&] { return host_.why_not_appendable(log.file); });
          !why.empty())
        warn("log-not-writable", log_span(draft_, index), "the log file " + quote(log.file) + " " + why,
             "create the directory for the user that belfry runs as, or use another path");
    for (const std::string& socket : {log.journald, log.syslog})
      if (!socket.empty())
        if (const std::string& why = once("o", socket, [&] { return host_.why_no_socket(socket); });
            !why.empty())
          warn("log-no-socket", log_span(draft_, index),
               "nobody takes log lines at " + quote(socket) + ": it " + why,
               "start who listens there, or write its path");
  }

  // Bound before anything of the service runs, so its hooks come too late to make the directory.
  void socket_directory(const ListenSocket& socket) {
    // An abstract name needs none, and what an output names is not known yet.
    if (!socket.address.starts_with('/') || has_reference(socket.address)) return;
    const std::string directory =
        socket.address.substr(0, std::max<std::size_t>(socket.address.rfind('/'), 1));
    const std::string& why = once("s", directory, [&] { return host_.why_no_directory(directory, {}); });
    if (!why.empty())
      warn("no-such-directory", Span(socket.place), "`listen`: the directory " + quote(directory) + " " + why,
           "create it, or use another path");
  }

  void port(bool udp, const std::string& address, std::uint16_t number, Span where) {
    const std::string why = host_.why_port_taken(udp, address, number, draft_.stack.name);
    if (!why.empty())
      warn("port-taken", where, "port " + std::to_string(number) + " is not free here: " + why,
           "end who has it, or use another port");
  }

  const std::string& once(std::string_view what, const std::string& about,
                          const std::function<std::string()>& ask) {
    const auto [found, fresh] = answers_.try_emplace(std::string(what) + "\n" + about);
    if (fresh) found->second = ask();
    return found->second;
  }

  Decoder& decoder_;
  const StackDraft& draft_;
  Host& host_;
  const Service* service_ = nullptr;
  const Node* mapping_ = nullptr;
  bool missing_directory_ = false;
  std::map<std::string, std::string> users_;
  std::unordered_map<std::string, Finding> findings_;
  std::unordered_map<std::string, std::string> answers_;
};

}  // namespace

void check_host(Decoder& decoder, const StackDraft& draft, Host* host) {
  if (host != nullptr) HostCheck(decoder, draft, *host).run();
}

}  // namespace belfry::config
