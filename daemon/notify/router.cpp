#include "daemon/notify/router.hpp"

#include <algorithm>
#include <utility>

#include "daemon/notify/main_process.hpp"
#include "daemon/notify/own_socket.hpp"
#include "system/capabilities.hpp"
#include "system/proc.hpp"
#include "system/process_identity.hpp"

namespace belfry::daemon {

namespace {

std::uint32_t store_limit(const ServiceRef& service) {
  return service.spec().extras ? service.spec().extras->fd_store : 0;
}

Speakers speakers_of(const ServiceRef& service, uid_t uid) {
  const RunFacts facts = service.facts();
  Speakers who{.leader = facts.leader,
               .main = facts.main,
               .hook = facts.hook != 0 ? facts.hook : facts.reloader,
               .marker = facts.marker,
               .uid = uid};
  if (service.spec().extras) who.access = service.spec().extras->notify_access;
  return who;
}

}  // namespace

// Lives from the first preparation until nothing of it is needed any more.
struct NotifyRouter::Endpoint final : NotifyReceiver, MainProcessListener {
  Endpoint(NotifyRouter& r, const ServiceRef& s, system::Poller& poller)
      : router(r),
        service(s),
        store(poller, store_limit(s),
              [&events = s.events()](std::size_t held) {
                events.descriptors_stored(static_cast<std::uint32_t>(held));
              }),
        main(poller, *this) {}
  void on_message(const NotifySender& sender, const HeardMessage& message,
                  AttachedDescriptors& attached) override {
    router.deliver(service, this, sender, message, attached);
  }
  void on_main_ended(pid_t pid, std::optional<system::ExitStatus> status) override {
    service.events().main_ended(pid, status);
  }
  NotifyRouter& router;
  const ServiceRef& service;
  FdStore store;
  MainProcess main;
  UnattributedSender unattributed_sender;
  std::unique_ptr<NotifySocket> socket;
  uid_t uid = 0;
  std::uint64_t burials = 0;  // burials_around() the service when a sender that was gone was looked for last

  // A process of the service may have been reaped since then.
  bool has_buried(const Speakers& who) {
    const std::uint64_t now = burials_around(who);
    return now == 0 || std::exchange(burials, now) < now;
  }
};

NotifyRouter::NotifyRouter(Loop& loop, system::Poller& poller, std::size_t services)
    : loop_(loop), poller_(poller), services_(services), endpoints_(services), leaders_(services) {}

NotifyRouter::~NotifyRouter() = default;

Result<void> NotifyRouter::open() {
  if (auto ok = directory_.make(); !ok) return ok;
  NotifyReceiver& receiver = *this;
  shared_ = std::make_unique<NotifySocket>(poller_, receiver);
  return shared_->open(directory_.path() + "/" + system::unguessable_name(), own_user_);
}

void NotifyRouter::grow(std::size_t services) {
  if (services <= services_.size()) return;
  services_.resize(services);
  endpoints_.resize(services);
  leaders_.resize(services);
}

NotifyRouter::Endpoint& NotifyRouter::endpoint_of(const ServiceRef& service) {
  auto& endpoint = endpoints_[service.index()];
  if (!endpoint) endpoint = std::make_unique<Endpoint>(*this, service, poller_);
  return *endpoint;
}

Result<void> NotifyRouter::prepare(const ServiceRef& service, system::Launch& launch) {
  if (service.facts().runs > 0) drain(service);
  const uid_t owner = launch.identity ? launch.identity->uid : own_user_;
  if (owner != own_user_ && !wants_own_notify_socket(service.spec()) && !system::has_capability(CAP_CHOWN))
    return {};  // the service does not depend on a socket, and belfry could not give it one
  if (wants_own_notify_socket(service.spec()) || owner != own_user_) {
    if (auto ok = open_own_socket(service, owner); !ok) return ok;
    launch.add_variable("NOTIFY_SOCKET", endpoints_[service.index()]->socket->path());
  } else {
    launch.add_variable("NOTIFY_SOCKET", shared_->path());
  }
  if (service.spec().extras && service.spec().extras->watchdog) {
    const auto interval =
        std::chrono::duration_cast<std::chrono::microseconds>(*service.spec().extras->watchdog);
    launch.add_variable("WATCHDOG_USEC", std::to_string(interval.count()));
    launch.watchdog_pid = true;
  }
  if (const std::uint32_t room = store_limit(service); room > 0)
    launch.add_variable("FDSTORE", std::to_string(room));
  return {};
}

Result<void> NotifyRouter::open_own_socket(const ServiceRef& service, uid_t owner) {
  Endpoint& endpoint = endpoint_of(service);
  endpoint.uid = owner;
  if (endpoint.socket) return {};
  endpoint.socket = std::make_unique<NotifySocket>(poller_, endpoint);
  auto opened = endpoint.socket->open(directory_.path() + "/" + system::unguessable_name(), owner);
  if (!opened) endpoint.socket.reset();
  return opened;
}

void NotifyRouter::announce(const ServiceRef& service, system::Launch& launch) const {
  const auto& endpoint = endpoints_[service.index()];
  if (endpoint && endpoint->socket) launch.add_variable("NOTIFY_SOCKET", endpoint->socket->path());
}

std::vector<NamedDescriptor> NotifyRouter::stored(const ServiceRef& service) {
  const auto& endpoint = endpoints_[service.index()];
  return endpoint ? endpoint->store.lend() : std::vector<NamedDescriptor>();
}

void NotifyRouter::launched(const ServiceRef& service, pid_t pid) {
  const auto& endpoint = endpoints_[service.index()];
  if (endpoint) {
    endpoint->store.take_back();
    endpoint->main.forget();
    endpoint->burials = burials_around({});  // no process of this run has died yet
  }
  if (!endpoint || !endpoint->socket) set_leader(service, pid);
}

void NotifyRouter::set_leader(const ServiceRef& service, pid_t pid) {
  const std::uint32_t index = service.index();
  pid_t& leader = leaders_[index];
  const std::uint32_t* known = leader == 0 ? nullptr : by_leader_.find(leader);
  // The number of a leader that is gone may be another service's by now.
  if (known != nullptr && *known == index) by_leader_.erase(leader);
  leader = pid;
  services_[index] = pid == 0 ? nullptr : &service;
  if (leader != 0) by_leader_[leader] = index;
}

void NotifyRouter::drain(const ServiceRef& service) {
  const auto& endpoint = endpoints_[service.index()];
  if (endpoint && endpoint->socket) {
    endpoint->socket->drain();
  } else if (shared_) {
    shared_->drain();
  }
}

bool NotifyRouter::release(const ServiceRef& service, bool may_come_back) {
  set_leader(service, 0);
  auto& endpoint = endpoints_[service.index()];
  if (!endpoint) return false;
  endpoint->main.forget();
  endpoint->store.take_back();
  if (!may_come_back) endpoint->store.clear();
  if (endpoint->socket) close_afterwards(std::move(endpoint->socket));
  if (endpoint->store.size() == 0) endpoint.reset();
  return endpoint != nullptr;
}

// Those that waited for the stop are served before sockets are closed, a few a turn, because each costs some
// 10 µs. The socket is unplugged: what arrives until its turn comes belongs to nobody.
void NotifyRouter::close_afterwards(std::unique_ptr<NotifySocket> socket) {
  socket->unplug();
  leaving_.push_back(std::move(socket));
  if (leaving_.size() == 1) close_some();
}

void NotifyRouter::close_some() {
  loop_.afterwards([this] {
    constexpr std::size_t at_once = 8;
    leaving_.resize(leaving_.size() - std::min(at_once, leaving_.size()));
    if (!leaving_.empty()) close_some();
  });
}

bool NotifyRouter::signal_main(const ServiceRef& service, int signo) {
  const auto& endpoint = endpoints_[service.index()];
  return endpoint && endpoint->main.signal(signo);
}

bool NotifyRouter::follow_main(const ServiceRef& service, pid_t pid) {
  return endpoint_of(service).main.follow(pid).has_value();
}

// The shared socket: the sender's session, group or descent says which service it belongs to.
const std::uint32_t* NotifyRouter::attribute(pid_t pid) {
  if (const auto* found = by_leader_.find(pid)) return found;
  const auto session = system::proc::session_of(pid);
  if (!session) return nullptr;
  if (const auto* found = by_leader_.find(*session)) return found;
  if (unattributed_sender_.is(pid, loop_.now())) return nullptr;
  if (const auto* found = by_leader_.find(system::proc::group_of(pid))) return found;
  const auto leads = [this](pid_t above) { return by_leader_.find(above) != nullptr; };
  if (const pid_t leader = system::proc::nearest_above(pid, leads); leader != 0)
    return by_leader_.find(leader);
  unattributed_sender_.remember(pid, loop_.now());
  return nullptr;
}

void NotifyRouter::on_message(const NotifySender& sender, const HeardMessage& message,
                              AttachedDescriptors& attached) {
  const std::uint32_t* index = sender.pid == 0 ? nullptr : attribute(sender.pid);
  if (index == nullptr) {
    ++unattributed_;
    return;
  }
  deliver(*services_[*index], endpoints_[*index].get(), sender, message, attached);
}

void NotifyRouter::deliver(const ServiceRef& service, Endpoint* endpoint, const NotifySender& from,
                           const HeardMessage& message, AttachedDescriptors& attached) {
  if (!message) return service.events().refused(message.error());
  const bool own_socket = endpoint != nullptr && endpoint->socket != nullptr;
  // systemd-notify(1) speaks in the name of its parent, and the parent of a hook is belfry.
  NotifySender sender = from;
  if (const pid_t hook = service.facts().hook; own_socket && from.pid == system::own_pid() && hook != 0)
    sender.pid = hook;
  const Speakers who = speakers_of(service, own_socket ? endpoint->uid : own_user_);
  std::optional<NotifyRefusal> refusal = NotifyRefusal::stranger;
  if (!own_socket || !endpoint->unattributed_sender.is(sender.pid, loop_.now()))
    refusal = refusal_of(sender, who, own_socket, [endpoint, &who] { return endpoint->has_buried(who); });
  if (!refusal) return take(service, endpoint, sender, *message, attached);
  if (own_socket && refusal == NotifyRefusal::stranger)
    endpoint->unattributed_sender.remember(sender.pid, loop_.now());
  service.events().refused(*refusal);
}

// Whom it is about, what it says, and what came with it.
void NotifyRouter::take(const ServiceRef& service, Endpoint* endpoint, const NotifySender& sender,
                        const NotifyMessage& message, AttachedDescriptors& attached) {
  if (message.barrier) return;  // answered when its descriptor is closed
  if (message.main_pid) claim_main(service, sender, *message.main_pid);
  NotifyMessage of_sender = message;
  of_sender.sender = sender.pid;
  service.events().said(of_sender);
  store(service, endpoint, message, attached);
}

// Only a process of the service can be named, unless root names it; and never belfry itself, which would stop
// itself with the service.
void NotifyRouter::claim_main(const ServiceRef& service, const NotifySender& sender, pid_t pid) {
  const RunFacts facts = service.facts();
  if (!facts.running || pid == facts.main) return;
  Endpoint& endpoint = endpoint_of(service);
  const uid_t uid = endpoint.socket ? endpoint.uid : own_user_;
  if (pid == facts.pid) {
    endpoint.main.forget();
    return service.events().main_process_is(0);
  }
  const bool known = is_process_of(pid, speakers_of(service, uid));
  if (pid == system::own_pid() || (!known && sender.uid != 0) || !endpoint.main.follow(pid))
    return service.events().refused(NotifyRefusal::bad_main_pid);
  service.events().main_process_is(pid);
}

void NotifyRouter::store(const ServiceRef& service, Endpoint* endpoint, const NotifyMessage& message,
                         AttachedDescriptors& attached) {
  if (!message.store_descriptors && !message.remove_descriptors) return;
  if (store_limit(service) == 0 || endpoint == nullptr) {
    return service.events().descriptors_refused(attached.size());
  }
  if (message.store_descriptors) {
    for (system::OwnedFd& fd : attached) {
      if (!endpoint->store.add(std::move(fd), message.descriptor_name, message.poll_descriptors))
        service.events().descriptors_refused(1);
    }
    attached.clear();
  }
  if (message.remove_descriptors && !message.descriptor_name.empty())
    endpoint->store.remove(message.descriptor_name);
}

}  // namespace belfry::daemon
