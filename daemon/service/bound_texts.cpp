#include "daemon/service/bound_texts.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

#include "config/model/address.hpp"
#include "config/model/output_reference.hpp"

namespace belfry::daemon {

namespace {

constexpr std::size_t longest_socket_path = 107;  // unix(7)

std::string from_directory(const std::string& path, std::string_view directory) {
  if (path.starts_with('/') || path.starts_with('@')) return path;
  return std::string(directory) + "/" + path;
}

bool is_of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool is_word(std::string_view text, std::size_t at, std::size_t length) {
  return (at == 0 || !is_of_a_word(text[at - 1])) &&
         (at + length == text.size() || !is_of_a_word(text[at + length]));
}

std::vector<std::string_view> secrets_of(const std::vector<BoundOutput>& outputs) {
  std::vector<std::string_view> secrets;
  for (const BoundOutput& one : outputs)
    if (one.secret && !one.value.empty()) secrets.push_back(one.value);
  std::ranges::sort(secrets, std::greater(), &std::string_view::size);
  return secrets;
}

}  // namespace

// A short one is a part of many words, none of which is secret, and without them nobody could read the rest.
void hide(std::string& text, std::string_view secret) {
  constexpr std::size_t shortest_part_of_a_word = 4;
  constexpr std::string_view instead = "***";
  const bool anywhere = secret.size() >= shortest_part_of_a_word;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) {
    const bool is_it = anywhere || is_word(text, at, secret.size());
    if (is_it) text.replace(at, secret.size(), instead);
    at += is_it ? instead.size() : 1;
  }
}

BoundTexts::BoundTexts(const config::Service& spec, SharedSpec kept, const ProbeMeans& means,
                       std::vector<BoundOutput> outputs)
    : spec_(spec),
      kept_(std::move(kept)),
      outputs_(std::move(outputs)),
      secrets_(secrets_of(outputs_)),
      value_of_([this](config::OutputName name) {
        const auto is_it = [&name](const BoundOutput& one) {
          return one.reference->service == name.service && one.reference->key == name.key;
        };
        const auto found = std::ranges::find_if(outputs_, is_it);
        return found == outputs_.end() ? std::string() : found->value;
      }),
      factory_(means.factory),
      means_{.slots = means.slots,
             .factory = static_cast<probes::Factory&>(*this),
             .random = means.random,
             .redactor = secrets_.empty() ? nullptr : this} {}

std::string BoundTexts::text(std::string_view written) const {
  return config::with_outputs(written, value_of_);
}

config::Command BoundTexts::command(const config::Command& words) const {
  config::Command bound;
  bound.reserve(words.size());
  for (const std::string& word : words) bound.push_back(text(word));
  return bound;
}

void BoundTexts::add_variables(system::Launch& launch) const {
  for (const auto& [name, value] : spec_.extras->late_environment) launch.add_variable(name, text(value));
}

Result<std::vector<config::ListenSocket>> BoundTexts::sockets() const {
  std::vector<config::ListenSocket> sockets = spec_.extras->listen;
  const auto refers = [](const config::ListenSocket& one) { return config::has_reference(one.address); };
  if (std::ranges::none_of(sockets, refers)) return std::vector<config::ListenSocket>();
  for (config::ListenSocket& socket : sockets) {
    if (!refers(socket)) continue;
    const std::string written = config::with_references_written_out(socket.address);
    const auto refused = [&](const std::string& why) {
      return std::unexpected(Error(Error::Kind::invalid, shown("cannot listen at " + written + ": " + why)));
    };
    socket.address = text(socket.address);
    if (socket.kind == config::ListenSocket::Kind::unix_stream) {
      socket.address = from_directory(socket.address, spec_.working_dir);
      if (socket.address.size() > longest_socket_path) return refused("its path is longer than 107 bytes");
      continue;
    }
    const auto address = config::parse_host_port(socket.address);
    if (!address) return refused(address.error().message);
    socket.address = address->host;
    socket.port = address->port;
  }
  return sockets;
}

std::string BoundTexts::shown(std::string text) const {
  for (const std::string_view secret : secrets_) hide(text, secret);
  return text;
}

// What the reader of the file has done for what does not refer to outputs.
Result<void> BoundTexts::settle(config::Probe& probe) const {
  using Kind = config::Probe::Kind;
  config::put_outputs_into(probe, value_of_);
  if (probe.kind == Kind::file || probe.kind == Kind::unix_socket)
    probe.target = from_directory(probe.target, spec_.working_dir);
  if (probe.kind != Kind::port || probe.target.empty()) return {};
  const auto port = config::parse_port(probe.target);
  if (!port)
    return std::unexpected(
        Error(Error::Kind::invalid, shown("cannot wait for a port: " + port.error().message)));
  probe.port = *port;
  probe.target.clear();
  return {};
}

Result<std::unique_ptr<probes::Probe>> BoundTexts::make(const config::Probe& probe,
                                                        const probes::ProbeContext& context) {
  probes::ProbeContext about = context;
  if (const probes::LaunchTemplate& own = *this; about.launch != nullptr) {
    launch_ = about.launch;
    about.launch = &own;
  }
  const config::Probe* asked = &probe;
  if (config::has_reference(probe)) {
    asked = &probes_.emplace_back(probe);
    if (auto ok = settle(probes_.back()); !ok) return std::unexpected(ok.error());
  }
  auto made = factory_.make(*asked, about);
  if (!made) return std::unexpected(shown(made.error()));
  return made;
}

void BoundTexts::configure(system::Launch& launch) const {
  launch_->configure(launch);
  add_variables(launch);
}

}  // namespace belfry::daemon
