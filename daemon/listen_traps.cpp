#include "daemon/listen_traps.hpp"

#include <sys/epoll.h>

#include <string>
#include <utility>

#include "daemon/service.hpp"
#include "probes/listen_watch/method.hpp"

namespace belfry::daemon {

// Owner: the traps. Lifecycle: until the last process of its run has ended. Cancellation: none.
class ListenTraps::Trap final : public PollWatcher {
 public:
  Trap(ListenTraps& all, Service& service, int descriptor, std::shared_ptr<probes::ListenEar> ear)
      : all_(all),
        service_(service),
        expected_(service.record().leader),
        trap_(descriptor),
        ear_(std::move(ear)) {
    loop().wake_afterwards(expectation_);
  }
  ~Trap() { all_.poller_.forget(*this); }

  Result<void> watch() { return all_.poller_.add(trap_.descriptor(), EPOLLIN, *this); }

  // One caller a turn: a service that calls listen(2) in a loop shares the loop with the others.
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
    const auto call = trap_.take(ear_->is_wanted());
    if (!call) return;
    const bool may_be_it = ear_->caught(*call);
    if (!trap_.let_go(*call)) return ear_->forget(*call);
    if (!may_be_it) return;
    service_.was_heard();
    expected_ = 0;
    if (!expectation_.linked()) loop().wake_afterwards(expectation_);
  }

  // Most main processes make the call that is awaited themselves, once. Nobody waits for the pidfd to be
  // opened, nor to be closed.
  // Owner: the trap. Lifecycle: runs after the start, and after the awaited call. Cancellation: the trap's
  // end takes it out of the loop.
  struct Expectation final : detail::Callback {
    explicit Expectation(Trap& t) : trap(t) {}
    void run() noexcept override { trap.trap_.expect(trap.expected_); }
    Trap& trap;
  };
  [[nodiscard]] Loop& loop() const { return all_.poller_.loop(); }

  ListenTraps& all_;
  Service& service_;
  pid_t expected_;  // to make the awaited call; 0: it was made
  system::ListenTrap trap_;
  std::shared_ptr<probes::ListenEar> ear_;
  Expectation expectation_{*this};
};

ListenTraps::ListenTraps(Poller& poller, config::OnDaemonDeath on_death)
    : poller_(poller), on_death_(on_death), ends_(poller) {}
ListenTraps::~ListenTraps() = default;

void ListenTraps::remove(Trap& trap) {
  std::erase_if(traps_, [&](const auto& one) { return one.get() == &trap; });
}

void ListenTraps::lay(const Service& service, std::unique_ptr<Kit>& kit, system::Launch& launch) {
  if (!probes::awaits_listen(service.spec())) return;
  if (!kit) kit = std::make_unique<Kit>();
  kit->ear = std::make_shared<probes::ListenEar>();
  kit->request = {.udp = probes::awaits_bind(service.spec())};
  std::string_view why = probes::why_no_trap(service.spec(), on_death_, rights_, launch.isolate);
  if (why.empty() && refused_ != 0) why = probes::why_trap_refused(refused_);
  if (why.empty())
    launch.listen_trap = &kit->request;
  else
    kit->ear->say_why_deaf(std::string(why));
}

void ListenTraps::started(Service& service, const std::unique_ptr<Kit>& kit) {
  if (kit && kit->ear) ends_.follow(service, kit->ear);
  if (!kit || (kit->request.descriptor < 0 && kit->request.errnum == 0)) return;
  if (const int errnum = std::exchange(kit->request.errnum, 0); errnum != 0) {
    if (probes::is_refused_for_good(errnum)) refused_ = errnum;
    kit->ear->say_why_deaf(std::string(probes::why_trap_refused(errnum)));
    return;
  }
  auto trap = std::make_unique<Trap>(*this, service, std::exchange(kit->request.descriptor, -1), kit->ear);
  if (auto ok = trap->watch(); !ok) {
    kit->ear->say_why_deaf(ok.error().text());
    return;
  }
  kit->ear->attach();
  traps_.push_back(std::move(trap));
}

}  // namespace belfry::daemon
