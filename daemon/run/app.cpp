// `belfry run`, read like a contents page. `belfry exec` is exec.cpp.
#include "daemon/run/app.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "config/model/exit_codes.hpp"
#include "daemon/resources/descriptor_need.hpp"
#include "daemon/run/daemon.hpp"
#include "daemon/run/stack_file.hpp"
#include "system/descriptors.hpp"
#include "system/guard.hpp"
#include "system/inherited_descriptors.hpp"
#include "system/orphan_thread.hpp"
#include "system/output_writer.hpp"
#include "system/process.hpp"
#include "system/terminal.hpp"

namespace belfry::daemon {

void print_error(std::string lines) {
  system::OutputWriter writer(STDERR_FILENO, "belfry: ");
  writer.put(lines);
  (void)writer.finish(std::chrono::seconds(2));
}

namespace {

// Loads the file and prints what is wrong with it. The exit code when there is no stack to run.
std::optional<int> load_stack(const StackFiles& which, config::Stack& stack, std::vector<SourceFile>& files) {
  if (which.paths.empty()) {
    print_error(
        "belfry: cannot find a file: none of ./belfry.yaml, ./belfry.yml, /etc/belfry/belfry.yaml "
        "exists (name one with -c FILE)\n");
    return exit_code::no_input;
  }
  ReadStack read = read_stack(which, {}, system::is_terminal(STDERR_FILENO));
  if (read.code == exit_code::no_input) {
    print_error("belfry: " + read.problem + "\n");
    return read.code;
  }
  print_error(read.code == 0 ? read.remarks : read.problem);
  if (read.code != 0) return read.code;
  stack = std::move(read.stack);
  files = std::move(read.files);
  return std::nullopt;
}

// One arena: the loop's thread does all the work, and an arena of its own would not reuse what main freed.
void keep_memory_small() { ::mallopt(M_ARENA_MAX, 1); }

// What to say of an error that means "there is too little of something": that is no bug, and the limit has a
// name. Nothing: it is another error.
std::optional<std::string> scarcity(int errnum) {
  std::string what = std::error_code(errnum, std::system_category()).message();
  switch (errnum) {
    case EMFILE:
      return "cannot open the " + std::to_string(descriptors_of_belfry()) +
             " descriptors that belfry itself needs: " + what + " (RLIMIT_NOFILE)" +
             std::string(system::how_to_raise_the_limit);
    case ENFILE: return "cannot open what belfry itself needs: " + what + " (raise the system's fs.file-max)";
    case EAGAIN:
      return "cannot make a second thread: " + what + std::string(system::how_to_raise_the_process_limit);
    case ENOMEM: return what;
    default: return std::nullopt;
  }
}

void say_unguarded(int errnum) {
  std::string why = std::error_code(errnum, std::system_category()).message();
  if (errnum == EAGAIN) why += system::how_to_raise_the_process_limit;
  print_error("belfry: cannot make the process that ends the services when belfry is killed: " + why +
              ": they would go on then\n");
}

int complain_of_scarcity(const std::string& text) {
  std::fprintf(stderr, "belfry: cannot start: %s\n", text.c_str());
  return exit_code::os_error;
}

int run_with_daemon(const RunOptions& options, const RunMode& mode,
                    const std::function<int(Daemon&)>& serve) {
  system::SignalBlock signals;  // before anything else: a SIGTERM in the first millisecond is a graceful stop
  system::ensure_standard_descriptors();
  auto inherited = system::take_inherited_descriptors();
  const auto started = system::Guard::start();  // while there is one thread, and little memory to share
  system::raise_descriptor_limit();
  keep_memory_small();
  if (const int error = system::why_not_open(descriptors_of_belfry() - 3); error != 0)
    return complain_of_scarcity(*scarcity(error));
  config::Stack stack;
  std::vector<SourceFile> files;
  const StackFiles which{
      .paths = find_files(options.files), .profiles = options.profiles, .services = options.services};
  if (auto code = load_stack(which, stack, files)) return *code;
  // A later `exec` has a socket of its own and would never find who was kept.
  if (mode.private_socket) stack.on_daemon_death = config::OnDaemonDeath::kill;
  if (!started && stack.on_daemon_death == config::OnDaemonDeath::kill) say_unguarded(started.error());
  // The log pipe, the notify socket, and the other end of the pipe until the start.
  constexpr std::size_t per_service = 3;
  system::make_room_for_descriptors((stack.services.size() * per_service) + 256);
  return system::run_beside_orphan_thread([&] {
    RunMode guarded = mode;
    guarded.guard = started ? started->get() : nullptr;
    guarded.files = which;
    Daemon daemon(stack, guarded);
    daemon.supervisor().set_sources(std::move(files));
    daemon.take(std::move(inherited));
    if (auto code = daemon.open()) return *code;
    return serve(daemon);
  });
}

}  // namespace

int with_daemon(const RunOptions& options, const RunMode& mode, const std::function<int(Daemon&)>& serve) {
  try {
    return run_with_daemon(options, mode, serve);
  } catch (const std::system_error& error) {
    const auto text = scarcity(error.code().value());
    if (!text) throw;
    return complain_of_scarcity(*text);
  }
}

int run(const RunOptions& options) {
  const RunMode mode{.tcp_by_default = true,
                     .private_socket = false,
                     .live = options.logs.empty(),
                     .services = options.services,
                     .witness = options.witness,
                     .log_file = options.logs};
  return with_daemon(options, mode, [](Daemon& daemon) { return daemon.serve(); });
}

}  // namespace belfry::daemon
