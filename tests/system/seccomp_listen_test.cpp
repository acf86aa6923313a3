#include "system/seccomp_listen.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "system/identity.hpp"
#include "system/signals.hpp"
#include "system/sock_diag.hpp"
#include "system/spawner.hpp"
#include "tests/support/fake_syscalls.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::Capture;

// --- the filter, as the kernel would run it

// The few instructions that the filter consists of.
std::uint32_t verdict(std::span<const sock_filter> program, const seccomp_data& data) {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& op = program[at];
    switch (op.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + op.k, sizeof accumulator);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += accumulator == op.k ? op.jt : op.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += accumulator >= op.k ? op.jt : op.jf; break;
      case BPF_RET | BPF_K: return op.k;
      default: ADD_FAILURE() << "instruction " << op.code; return 0;
    }
  }
  ADD_FAILURE() << "ran off the end";
  return 0;
}

bool is_reported(bool udp, std::uint32_t architecture, int number, std::uint64_t first = 0,
                 std::uint64_t third = 0) {
  const seccomp_data data{
      .nr = number, .arch = architecture, .instruction_pointer = 0, .args = {first, 0, third}};
  const std::uint32_t answer = verdict(listen_filter(udp), data);
  EXPECT_TRUE(answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_USER_NOTIF);
  return answer == SECCOMP_RET_USER_NOTIF;
}

#ifdef __x86_64__
constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
#endif

TEST(ListenFilter, reports_listen_and_io_uring_and_nothing_else) {
  for (int number = 0; number < 1000; ++number) {
    const bool expected = number == SYS_listen || number == SYS_io_uring_setup;
    EXPECT_EQ(is_reported(false, native, number, 4, 16), expected) << number;
  }
}

TEST(ListenFilter, reports_bind_for_udp_where_the_address_may_be_one_of_the_internet) {
  EXPECT_TRUE(is_reported(true, native, SYS_listen));
  for (const std::uint64_t length : {sizeof(sockaddr_in), sizeof(sockaddr_in6), sizeof(sockaddr_storage)}) {
    EXPECT_TRUE(is_reported(true, native, SYS_bind, 3, length)) << length;
    EXPECT_FALSE(is_reported(false, native, SYS_bind, 3, length)) << length;
  }
  EXPECT_FALSE(is_reported(true, native, SYS_bind, 3, 12));  // netlink
  EXPECT_FALSE(is_reported(true, native, SYS_connect, 3, 16));
}

#ifdef __x86_64__
TEST(ListenFilter, knows_the_numbers_of_32_bit_programs) {
  constexpr int listen32 = 363, socketcall = 102, bind32 = 361;
  EXPECT_TRUE(is_reported(false, AUDIT_ARCH_I386, listen32));
  EXPECT_TRUE(is_reported(false, AUDIT_ARCH_I386, socketcall, 4));   // SYS_LISTEN
  EXPECT_FALSE(is_reported(false, AUDIT_ARCH_I386, socketcall, 2));  // SYS_BIND
  EXPECT_TRUE(is_reported(true, AUDIT_ARCH_I386, socketcall, 2));
  EXPECT_TRUE(is_reported(true, AUDIT_ARCH_I386, bind32, 3, 16));
  EXPECT_FALSE(is_reported(false, AUDIT_ARCH_I386, SYS_listen));  // 50 is another call there
  EXPECT_FALSE(is_reported(true, AUDIT_ARCH_I386, 1));
}
#endif

TEST(ListenFilter, lets_unknown_architectures_pass) {
  EXPECT_FALSE(is_reported(true, AUDIT_ARCH_MIPS, SYS_listen));
  EXPECT_FALSE(is_reported(true, AUDIT_ARCH_MIPS, 363, 4));
}

// --- with processes

// Gives up a capability for the calling thread alone, as long as the thread lives.
void give_up(int capability) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  ::syscall(SYS_capget, &header, sets);
  auto& set = sets[capability / 32];
  const std::uint32_t without = ~(1U << (capability % 32));
  set.effective &= without, set.permitted &= without, set.inheritable &= without;
  ASSERT_EQ(::syscall(SYS_capset, &header, sets), 0);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) std::abort();
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

struct ListenNotifierTest : testing::Test {
  void SetUp() override {
    if (!ListenNotifierRights::own().admin) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  }
  ~ListenNotifierTest() override {
    notifier.reset();
    for (const pid_t pid : pids) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  }

  Launch python(const std::string& script) {
    Launch launch;
    launch.set_command(
        std::vector<std::string>{"python3", "-c", "import socket, os, sys, ctypes, threading\n" + script});
    launch.set_environment(BaseEnvironment::inherited(environ), {});
    launch.standard_output = launch.standard_error = output.writer();
    launch.die_with_belfry = false;  // some are started by threads that end
    launch.listen_notifier = &request;
    return launch;
  }
  void start(Launch launch) {
    auto pid = spawner.spawn(launch);
    ASSERT_TRUE(pid) << pid.error().text("python3");
    pids.push_back(*pid);
    if (request.descriptor >= 0) notifier.emplace(request.descriptor, kernel);
  }
  void start(const std::string& script) { start(python(script)); }
  // Waits for the next notification; its caller stands still.
  std::optional<CaughtCall> take(bool copy = true) {
    pollfd readable{.fd = notifier->descriptor(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 20000) != 1 || (readable.revents & POLLIN) == 0) return std::nullopt;
    return notifier->take(copy);
  }
  // …and answers it.
  std::optional<CaughtCall> next(bool copy = true) {
    auto call = take(copy);
    if (call) EXPECT_TRUE(notifier->let_go(*call));
    return call;
  }
  bool hung_up() {
    pollfd end{.fd = notifier->descriptor(), .events = POLLIN, .revents = 0};
    return ::poll(&end, 1, 20000) == 1 && (end.revents & POLLIN) == 0 && (end.revents & POLLHUP) != 0;
  }
  static std::uint16_t port_of(const CaughtCall& call) { return call.socket ? call.socket->port : 0; }

  SignalBlock block;
  test::FakeSyscalls kernel;
  Spawner spawner{kernel};
  Capture output;
  ListenNotifierRequest request;
  std::optional<ListenNotifier> notifier;
  std::vector<pid_t> pids;
};

constexpr const char* server = R"(
s = socket.socket(); s.bind(("127.0.0.1", 0))
s.listen(4)
print(s.getsockname()[1], flush=True)
s.accept()
)";

TEST_F(ListenNotifierTest, a_call_of_listen_is_reported_with_its_socket_and_goes_on) {
  start(server);
  auto call = next();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->kind, CaughtCall::Kind::listen);
  ASSERT_TRUE(call->socket);
  EXPECT_EQ(std::to_string(port_of(*call)), output.read_line());
}

TEST_F(ListenNotifierTest, a_caller_stands_still_until_it_is_let_go) {
  start(server);
  SockDiag diag;
  auto call = take();
  ASSERT_TRUE(call);
  ASSERT_TRUE(call->socket);
  EXPECT_FALSE(diag.find(*call->socket, call->socket->port));
  EXPECT_TRUE(notifier->let_go(*call));
  EXPECT_NE(output.read_line(), "");
  EXPECT_TRUE(diag.find(*call->socket, call->socket->port));
}

TEST_F(ListenNotifierTest, nothing_is_kept_of_a_socket_so_that_its_address_is_free_again_at_once) {
  start(R"(
a = socket.socket(); a.bind(("127.0.0.1", 0)); port = a.getsockname()[1]
a.listen(4); a.close()
b = socket.socket(); b.bind(("127.0.0.1", port)); b.listen(4)
print("bound again", flush=True)
b.accept()
)");
  const std::size_t before = open_descriptors();
  auto first = next();
  ASSERT_TRUE(first);
  EXPECT_EQ(open_descriptors(), before);
  auto second = next();
  ASSERT_TRUE(second) << "the service could not bind its port again";
  EXPECT_EQ(output.read_line(), "bound again");
  EXPECT_EQ(port_of(*first), port_of(*second));
  SockDiag diag;
  EXPECT_FALSE(diag.find(*first->socket, port_of(*first), true)) << "it is another socket";
  EXPECT_TRUE(diag.find(*second->socket, port_of(*second)));
}

TEST_F(ListenNotifierTest, who_died_before_it_was_let_go_has_not_called) {
  start(server);
  auto call = take();
  ASSERT_TRUE(call);
  ::kill(pids.back(), SIGKILL);
  ::waitpid(pids.back(), nullptr, 0);
  pids.clear();
  EXPECT_FALSE(notifier->let_go(*call));
}

TEST_F(ListenNotifierTest, an_expected_caller_is_opened_before_its_call_and_not_by_it) {
  start(server);
  notifier->expect(pids.back());
  EXPECT_EQ(kernel.processes_opened, 1);
  const std::size_t before = open_descriptors();
  auto call = next();
  ASSERT_TRUE(call);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(std::to_string(port_of(*call)), output.read_line());
  notifier->expect(pids.back());
  EXPECT_EQ(kernel.processes_opened, 1);
  notifier->expect(0);
  EXPECT_EQ(open_descriptors(), before - 1);
}

TEST_F(ListenNotifierTest, who_was_not_expected_is_heard_all_the_same) {
  start(R"(
def serve():
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(4)
    print(s.getsockname()[1], flush=True)
t = threading.Thread(target=serve); t.start(); t.join()
)");
  notifier->expect(pids.back());
  auto call = next();
  ASSERT_TRUE(call);
  ASSERT_TRUE(call->socket);
  EXPECT_EQ(std::to_string(port_of(*call)), output.read_line());
}

TEST_F(ListenNotifierTest, nobody_can_be_expected_who_is_gone) {
  start("sys.exit(0)");
  ::waitpid(pids.back(), nullptr, 0);
  const pid_t gone = pids.back();
  pids.clear();
  const std::size_t before = open_descriptors();
  notifier->expect(gone);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ListenNotifierTest, a_socket_that_nobody_wants_is_not_looked_at) {
  start(server);
  const std::size_t before = open_descriptors();
  auto call = next(false);
  ASSERT_TRUE(call);
  EXPECT_FALSE(call->socket);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_NE(output.read_line(), "");
}

TEST_F(ListenNotifierTest, threads_grandchildren_and_new_sessions_are_heard) {
  start(R"(
def serve():
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(4)
    print(s.getsockname()[1], flush=True)
t = threading.Thread(target=serve); t.start(); t.join()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        serve()
        os._exit(0)
    os._exit(0)
os.wait()
)");
  for (int i = 0; i < 2; ++i) {
    auto call = next();
    ASSERT_TRUE(call);
    ASSERT_TRUE(call->socket);
    EXPECT_EQ(std::to_string(port_of(*call)), output.read_line());
  }
  EXPECT_TRUE(hung_up());
}

TEST_F(ListenNotifierTest, the_descriptor_hangs_up_when_the_whole_tree_is_gone) {
  start("os.spawnlp(os.P_NOWAIT, 'sh', 'sh', '-c', 'read x'); print('up', flush=True)");
  EXPECT_EQ(output.read_line(), "up");
  int status = 0;
  ::waitpid(pids.back(), &status, 0);
  pids.clear();
  EXPECT_TRUE(hung_up());
}

TEST_F(ListenNotifierTest, a_udp_socket_is_reported_when_it_is_bound) {
  request.udp = true;
  start(
      "s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0)); print('up', flush=True); "
      "s.recv(1)");
  auto call = next();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->kind, CaughtCall::Kind::bind);
  EXPECT_EQ(output.read_line(), "up");
  ASSERT_TRUE(call->socket);
  EXPECT_TRUE(call->socket->is_udp());
  EXPECT_EQ(port_of(*call), 0) << "it gets its port by this very call";
}

TEST_F(ListenNotifierTest, io_uring_is_reported) {
  start("ctypes.CDLL(None).syscall(425, 1, None); print('done', flush=True)");
  auto call = next();
  ASSERT_TRUE(call);
  EXPECT_EQ(call->kind, CaughtCall::Kind::io_uring);
  EXPECT_FALSE(call->socket);
  EXPECT_EQ(output.read_line(), "done");
}

TEST_F(ListenNotifierTest, the_capability_serves_for_a_service_of_another_user_too) {
  auto nobody = find_identity("nobody");
  ASSERT_TRUE(nobody);
  Launch launch = python(
      std::string("print(os.getuid(), open('/proc/self/status').read().split('NoNewPrivs:')[1].split()[0],"
                  " flush=True)") +
      server);
  launch.identity = std::make_shared<const Identity>(*nobody);
  start(std::move(launch));
  EXPECT_EQ(output.read_line(), std::to_string(nobody->uid) + " 0");
  auto call = next();
  ASSERT_TRUE(call);
  EXPECT_EQ(std::to_string(port_of(*call)), output.read_line());
}

TEST_F(ListenNotifierTest, without_the_right_the_service_starts_and_listens_all_the_same) {
  std::thread([&] {
    give_up(CAP_SYS_ADMIN);
    EXPECT_FALSE(ListenNotifierRights::own().admin);
    start(server);
  }).join();
  EXPECT_EQ(request.descriptor, -1);
  EXPECT_EQ(request.errnum, EACCES);
  EXPECT_NE(output.read_line(), "");
}

TEST_F(ListenNotifierTest, no_new_privileges_makes_up_for_the_right) {
  std::thread([&] {
    give_up(CAP_SYS_ADMIN);
    Launch launch = python(server);
    launch.no_new_privileges = true;
    start(std::move(launch));
  }).join();
  EXPECT_EQ(request.errnum, 0);
  ASSERT_GE(request.descriptor, 0);
  EXPECT_TRUE(next(false));
  EXPECT_NE(output.read_line(), "");
}

TEST_F(ListenNotifierTest, a_second_listener_in_the_tree_is_refused_and_the_service_starts) {
  std::thread([&] {
    const auto code = listen_filter(false);
    const sock_fprog program{.len = static_cast<unsigned short>(code.size()),
                             .filter = const_cast<sock_filter*>(code.data())};
    const long above =
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    ASSERT_GE(above, 0);
    start("print('up', flush=True)");
    ::close(static_cast<int>(above));
  }).join();
  EXPECT_EQ(request.descriptor, -1);
  EXPECT_EQ(request.errnum, EBUSY);
  EXPECT_EQ(output.read_line(), "up");
}

// A kernel that knows none of the flags refuses with EINVAL, one without seccomp with ENOSYS; both are told.
struct OldKernel final : test::FakeSyscalls {
  pid_t clone(int (*entry)(void*), void* stack, int flags, void* argument) override {
    auto* plan = static_cast<detail::ChildPlan*>(argument);
    static const sock_fprog unusable{.len = 0, .filter = nullptr};
    if (plan->listen_filter != nullptr) plan->listen_filter = &unusable;
    return FakeSyscalls::clone(entry, stack, flags, argument);
  }
};

TEST_F(ListenNotifierTest, what_the_kernel_says_against_it_is_told_and_the_service_starts) {
  OldKernel old;
  Spawner on_old(old);
  Launch launch = python("print('up', flush=True)");
  auto pid = on_old.spawn(launch);
  ASSERT_TRUE(pid);
  pids.push_back(*pid);
  EXPECT_EQ(request.descriptor, -1);
  EXPECT_EQ(request.errnum, EINVAL);
  EXPECT_EQ(output.read_line(), "up");
}

TEST_F(ListenNotifierTest, a_launch_that_cannot_share_the_table_has_no_trap) {
  Launch launch = python("print('up', flush=True)");
  for (int target = 10; target < 30; ++target) launch.descriptors.push_back({output.writer(), target});
  start(std::move(launch));
  EXPECT_EQ(request.descriptor, -1);
  EXPECT_EQ(request.errnum, no_shared_table);
  EXPECT_EQ(output.read_line(), "up");
}

TEST_F(ListenNotifierTest, a_start_that_fails_leaves_no_descriptor_behind) {
  const std::size_t before = open_descriptors();
  Launch launch;
  launch.set_command(std::vector<std::string>{"/no/such/command"});
  launch.listen_notifier = &request;
  EXPECT_FALSE(spawner.spawn(launch));
  EXPECT_EQ(request.descriptor, -1);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ListenNotifierTest, the_service_inherits_no_trap_descriptor) {
  start("print(len(os.listdir('/proc/self/fd')), flush=True)");
  EXPECT_EQ(output.read_line(), "4");  // 0, 1, 2 and the directory itself
}

TEST_F(ListenNotifierTest, a_caller_that_died_is_no_call) {
  kernel.receive_errors = {ENOENT};
  start(server);
  EXPECT_FALSE(next());
  EXPECT_TRUE(next(false));  // the caller itself still waits, and is served by the next look
  EXPECT_NE(output.read_line(), "");
}

TEST_F(ListenNotifierTest, a_socket_that_may_not_be_copied_is_reported_without) {
  kernel.copy_errors = {EPERM};
  start(server);
  auto call = next();
  ASSERT_TRUE(call);
  EXPECT_FALSE(call->socket);
  EXPECT_NE(output.read_line(), "");
}

// What a crash of belfry means for its services: docs/explanation says so.
TEST_F(ListenNotifierTest, a_descriptor_that_is_closed_makes_listen_fail) {
  start(
      "s = socket.socket(); s.bind(('127.0.0.1', 0)); sys.stdin.readline()\n"
      "try: s.listen(4)\n"
      "except OSError as e: print(e.errno, flush=True)\n");
  notifier.reset();
  EXPECT_EQ(output.read_line(), std::to_string(ENOSYS));
}

}  // namespace
}  // namespace belfry::system
