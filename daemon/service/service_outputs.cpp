// What a service publishes with its bells, and what it uses of others.
#include <algorithm>

#include "config/model/output_reference.hpp"
#include "daemon/service/bound_texts.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

namespace {

bool is_secret(const config::Service& spec, std::string_view key) {
  if (spec.extras == nullptr) return false;
  const auto& secret = spec.extras->outputs.secret;
  return std::ranges::find(secret, key) != secret.end();
}

// Not "failed", which would be final: it may be published in the next run of its service.
Error missing(const config::OutputReference& output, const Outputs* published) {
  std::string text = output.service + " has not published " + output.key;
  if (published != nullptr && published->failure()) text += ": " + published->failure().text();
  return Error(Error::Kind::refused, text + " (it can say X_BELFRY_SET=" + output.key +
                                         "=… with READY=1, write it in a line that a `log` " +
                                         "probe takes (?P<" + output.key +
                                         ">…) out of, or into its outputs: {file: …})");
}

}  // namespace

// --- what it publishes

void Service::publish(std::string_view key, std::string_view value) {
  if (const auto why = now_->published().set(key, value))
    runtime_.listener.notice(*this,
                             "cannot publish " + std::string(key) + ": it is " + std::string(text_of(*why)));
}

void Service::publish_anew(std::vector<std::pair<std::string, std::string>> all) {
  now_->published().renew(std::move(all));
  tell_dependents(false);
}

void Service::take_outputs(const NotifyMessage& message) {
  for (std::uint32_t i = 0; i < message.bad_outputs; ++i) refused(NotifyRefusal::bad_output);
  for (const auto& [key, value] : message.outputs) {
    if (const auto why = now_->published().set(key, value)) refused(*why);
  }
}

bool Service::writes_outputs() const {
  return spec().extras != nullptr && !spec().extras->outputs.file.empty();
}

// A bell rings, and carries what is known by now.
void Service::fix_outputs(bool last) {
  if (writes_outputs()) read_outputs();
  if (now_->outputs != nullptr) now_->outputs->fix(last);
}

// What an earlier bell has fixed stays, whatever the file says by now.
void Service::read_outputs() {
  const Result<OutputList> read = resources().read_outputs();
  if (!read) {
    now_->published().failed(read.error());
    return runtime_.listener.notice(*this, read.error().text());
  }
  for (const auto& [key, value] : *read) {
    const auto why = now_->published().set(key, value);
    if (why && *why != NotifyRefusal::late_output)
      runtime_.listener.notice(
          *this, "cannot publish " + key + " of its outputs: it is " + std::string(text_of(*why)));
  }
}

std::vector<PublishedOutput> Service::outputs() const {
  std::vector<PublishedOutput> all;
  if (now_->outputs == nullptr) return all;
  for (const Outputs::Output& one : now_->outputs->all())
    all.push_back({.key = one.key, .value = one.value, .secret = is_secret(spec(), one.key)});
  return all;
}

// --- what it uses

bool Service::uses_outputs() const { return spec().extras != nullptr && !spec().extras->references.empty(); }

const Outputs::Output* Service::output_of(const config::OutputReference& reference) const {
  const Outputs* published = service_of(runtime_.graph.at(reference.provider)).incarnation()->outputs.get();
  return published == nullptr ? nullptr : published->find(reference.published);
}

// In the turn in which its edges hold; a start that is under way goes on with what it began with.
Result<void> Service::bind_outputs() {
  if (!uses_outputs() || (bound_ != nullptr && (is_running(record_.state) || !has_other_outputs())))
    return {};
  launch_.reset();
  bound_.reset();
  std::vector<BoundOutput> outputs;
  for (const config::OutputReference& reference : spec().extras->references) {
    const Service& provider = service_of(runtime_.graph.at(reference.provider));
    const Outputs::Output* found = output_of(reference);
    if (found == nullptr) return std::unexpected(missing(reference, provider.incarnation()->outputs.get()));
    outputs.push_back({&reference, found->value, is_secret(provider.spec(), reference.key)});
  }
  bound_ = std::make_unique<BoundTexts>(spec(), description(), runtime_.probes, std::move(outputs));
  auto sockets = bound_->sockets();
  if (sockets && !sockets->empty()) resources().listen_at(*sockets);
  if (sockets) return {};
  bound_.reset();
  return std::unexpected(sockets.error());
}

const BoundOutput* Service::changed_output(std::optional<std::size_t> edge) const {
  if (bound_ == nullptr) return nullptr;
  for (const BoundOutput& one : bound_->outputs()) {
    if (edge && one.reference->edge != *edge) continue;
    if (!edges()[one.reference->edge].holds()) continue;  // that it is lost is known
    const Outputs::Output* now = output_of(*one.reference);
    if (now == nullptr || now->value != one.value) return &one;
  }
  return nullptr;
}

// Its edge says that a loss is to be ignored: so it runs on with what has been true once, and somebody should
// know.
void Service::say_that_outputs_changed() {
  if (bound_ == nullptr || said_that_outputs_changed_) return;
  for (std::size_t i = 0; i < edges().size(); ++i) {
    if (edges()[i].spec->on_loss != config::OnLoss::ignore) continue;
    const BoundOutput* changed = changed_output(i);
    if (changed == nullptr) continue;
    said_that_outputs_changed_ = true;
    return runtime_.listener.notice(
        *this, "runs on with an old " +
                   config::written_out({changed->reference->service, changed->reference->key}) +
                   " (on_loss: restart of " + std::string(edges()[i].on->name()) + " would restart it)");
  }
}

config::Command Service::bound(const config::Command& command) const {
  return bound_ == nullptr ? command : bound_->command(command);
}

void Service::add_outputs_to(system::Launch& launch) const {
  if (bound_ != nullptr) bound_->add_variables(launch);
}

std::string Service::shown_line(std::string_view line) const {
  std::string text(line);
  if (bound_ != nullptr) text = bound_->shown(std::move(text));
  for (const PublishedOutput& one : outputs()) {
    if (one.secret && !one.value.empty()) hide(text, one.value);
  }
  return text;
}

Error Service::shown(const Error& error) const { return bound_ == nullptr ? error : bound_->shown(error); }

}  // namespace belfry::daemon
