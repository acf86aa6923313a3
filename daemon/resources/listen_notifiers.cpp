#include "daemon/resources/listen_notifiers.hpp"

#include <sys/epoll.h>

#include <string>
#include <utility>

#include "probes/listen_monitor/method.hpp"

namespace belfry::daemon {

// Lives until the last process of its run has ended.
class ListenNotifiers::Notifier final : public system::PollWatcher {
 public:
  Notifier(ListenNotifiers& all, const ServiceRef& service, int descriptor,
           std::shared_ptr<probes::ListenMonitor> monitor)
      : all_(all),
        service_(service),
        expected_(service.facts().leader),
        notifier_(descriptor),
        monitor_(std::move(monitor)) {
    loop().wake_afterwards(expectation_);
  }
  ~Notifier() { all_.poller_.forget(*this); }

  Result<void> watch() { return all_.poller_.add(notifier_.descriptor(), EPOLLIN, *this); }

  // One caller is served in a turn: a service that calls listen(2) in a loop must not keep the others
  // waiting.
  void on_event(std::uint32_t events) override {
    if ((events & EPOLLIN) != 0) {
      hear();
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      all_.remove(*this);
    }
  }

 private:
  // The socket is identified before its owner goes on, and asked for by name afterwards.
  void hear() {
    const auto call = notifier_.take(monitor_->is_wanted());
    if (!call) return;
    const bool may_be_it = monitor_->caught(*call);
    if (!notifier_.let_go(*call)) return monitor_->forget(*call);
    if (!may_be_it) return;
    service_.events().sockets_changed();
    expected_ = 0;
    if (!expectation_.linked()) loop().wake_afterwards(expectation_);
  }

  // Most main processes make the awaited call themselves, once. So the pidfd of the main process is opened
  // ahead of the call, after the start, and closed again after it: in both cases when nothing else is to be
  // done.
  struct Expectation final : Callback {
    explicit Expectation(Notifier& n) : notifier(n) {}
    void run() noexcept override { notifier.notifier_.expect(notifier.expected_); }
    Notifier& notifier;
  };
  [[nodiscard]] Loop& loop() const { return all_.poller_.loop(); }

  ListenNotifiers& all_;
  ServiceRef service_;
  pid_t expected_;  // to make the awaited call; 0: it was made
  system::ListenNotifier notifier_;
  std::shared_ptr<probes::ListenMonitor> monitor_;
  Expectation expectation_{*this};
};

ListenNotifiers::ListenNotifiers(system::Poller& poller, config::OnDaemonDeath on_death)
    : poller_(poller), on_death_(on_death), loss_watch_(poller) {}
ListenNotifiers::~ListenNotifiers() = default;

void ListenNotifiers::remove(Notifier& notifier) {
  std::erase_if(notifiers_, [&](const auto& one) { return one.get() == &notifier; });
}

void ListenNotifiers::apply(const ServiceRef& service, std::unique_ptr<PerService>& own,
                            system::Launch& launch) {
  if (!probes::awaits_listen(service.spec())) return;
  if (!own) own = std::make_unique<PerService>();
  own->monitor = std::make_shared<probes::ListenMonitor>();
  own->request = {.udp = probes::awaits_bind(service.spec())};
  std::string_view why = probes::why_no_notifier(service.spec(), on_death_, rights_, launch.isolate);
  if (why.empty() && refused_ != 0) why = probes::why_notifier_refused(refused_);
  if (why.empty())
    launch.listen_notifier = &own->request;
  else
    own->monitor->say_why_unavailable(std::string(why));
}

void ListenNotifiers::started(const ServiceRef& service, const std::unique_ptr<PerService>& own) {
  if (own && own->monitor) loss_watch_.follow(service.events(), own->monitor);
  if (!own || (own->request.descriptor < 0 && own->request.errnum == 0)) return;
  if (const int errnum = std::exchange(own->request.errnum, 0); errnum != 0) {
    if (probes::is_refused_for_good(errnum)) refused_ = errnum;
    own->monitor->say_why_unavailable(std::string(probes::why_notifier_refused(errnum)));
    return;
  }
  auto notifier =
      std::make_unique<Notifier>(*this, service, std::exchange(own->request.descriptor, -1), own->monitor);
  if (auto ok = notifier->watch(); !ok) {
    own->monitor->say_why_unavailable(ok.error().text());
    return;
  }
  own->monitor->attach();
  notifiers_.push_back(std::move(notifier));
}

}  // namespace belfry::daemon
