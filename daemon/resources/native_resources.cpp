#include "daemon/resources/native_resources.hpp"

#include <algorithm>
#include <utility>

#include "daemon/resources/descriptor_need.hpp"
#include "daemon/resources/native_handle.hpp"
#include "system/descriptors.hpp"
#include "text/utf8.hpp"

namespace belfry::daemon {

SharedResources::SharedResources(Loop& loop, const config::Stack& stack, system::Poller& own_poller,
                                 LogPump& own_pump)
    : poller(own_poller),
      pump(own_pump),
      logs(loop, stack, own_pump),
      router(loop, poller, stack.services.size()),
      setup(stack),
      activation(manager_sockets),
      notifiers(poller, stack.on_daemon_death),
      oom_kills(loop),
      port_holders(loop) {}

NativeResources::NativeResources(Loop& loop, const config::Stack& stack, system::Poller& poller,
                                 LogPump& pump)
    : stack_(stack), shared_(loop, stack, poller, pump) {
  const std::size_t most = system::descriptor_limit();
  auto shortage = shortage_of_descriptors(stack, most);
  shared_.budget.set(most, shortage.has_value());
  if (shortage) remarks_.push_back(std::move(*shortage));
}

void NativeResources::guard_by(system::Guard& guard) {
  shared_.guard = &guard;
  shared_.setup.guard_by(guard.token());
}

void NativeResources::take_sockets(std::vector<system::InheritedDescriptor> descriptors,
                                   DescriptorStore& store,
                                   std::function<void(const std::string&)> on_remark) {
  shared_.manager_sockets.take(std::move(descriptors));
  shared_.manager_sockets.on_remark = std::move(on_remark);
  shared_.manager_sockets.store_in(store);
  std::string nobodys;
  for (const std::string& one : shared_.manager_sockets.unknown(Activation::names_in(stack_).all))
    (nobodys += nobodys.empty() ? "" : ", ") += one;
  if (!nobodys.empty())
    remarks_.push_back("leaves alone what the service manager has passed and no `listen` names: " + nobodys +
                       " (give a socket of `listen` that name, or take it out of the socket unit)");
}

Result<void> NativeResources::open() {
  shared_.setup.open(stack_);
  shared_.activation.open(stack_);
  shared_.cgroups.create(stack_, remarks_, shared_.guard);
  if (auto ok = shared_.router.open(); !ok) return ok;
  shared_.confinements.open(stack_, shared_.router.directory());
  return {};
}

// Whom nobody knows, or belfry may not become, keeps one service from running when belfry starts, and a
// reload from being made.
Result<void> NativeResources::admit(std::size_t index, const config::Service& spec, bool frees) {
  shared_.router.grow(index + 1);
  if (spec.command.empty()) return {};
  shared_.setup.add(spec);
  // Who is not enabled may be started by name all the same: then is the time to say what keeps it from it.
  const Result<void> checked = spec.enabled ? shared_.setup.check(spec) : Result<void>();
  if (!checked) return checked;
  shared_.confinements.admit(spec);
  shared_.cgroups.admit(spec, remarks_);
  return spec.enabled && spec.extras ? shared_.activation.admit(index, spec.extras->listen, frees)
                                     : Result<void>();
}

void NativeResources::place(std::size_t index, const config::Service& spec) {
  static const std::vector<config::ListenSocket> none;
  shared_.router.grow(index + 1);
  shared_.logs.book().add(index, spec.name);
  shared_.activation.place(index, spec.extras ? spec.extras->listen : none);
}

void NativeResources::forget(std::size_t index) {
  shared_.activation.forget(index);
  shared_.logs.book().forget(index);
}

void NativeResources::keep_in(KeptRecord& record, std::string stack_id) {
  shared_.kept = &record;
  shared_.setup.mark_with(std::move(stack_id));
}

void NativeResources::on_usage(pid_t pid, const system::Usage& usage) {
  shared_.ended = pid;
  shared_.usage = usage;
}

std::unique_ptr<ServiceResources> NativeResources::open(const ServiceRef& service) {
  return std::make_unique<NativeHandle>(shared_, service);
}

// A line is cut where nobody would read it to its end.
std::vector<std::string> NativeResources::last_lines(std::size_t service, std::uint64_t run,
                                                     std::size_t most) const {
  constexpr std::size_t longest = 1000;
  std::vector<std::string> lines;
  const LogRing* ring = log_of(service);
  if (ring == nullptr || most == 0) return lines;
  const std::uint64_t from =
      ring->next() > most ? std::max(ring->first(), ring->next() - most) : ring->first();
  ring->visit_from(from, [&](const RingLine& line) {
    if (line.origin.incarnation == run)
      lines.emplace_back(line.text.substr(0, text::end_of_characters(line.text.substr(0, longest))));
    return true;
  });
  return lines;
}

}  // namespace belfry::daemon
