#include "config/model/kernel_names.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <utility>

#include "text/capability_names.hpp"

namespace belfry::config {
namespace {

using Named = std::pair<std::string_view, int>;
constexpr std::array<Named, 31> signals{
    {{"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},       {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},
     {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT},     {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},
     {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1},     {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2},
     {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM},     {"SIGTERM", SIGTERM}, {"SIGSTKFLT", SIGSTKFLT},
     {"SIGCHLD", SIGCHLD}, {"SIGCONT", SIGCONT},     {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP},
     {"SIGTTIN", SIGTTIN}, {"SIGTTOU", SIGTTOU},     {"SIGURG", SIGURG},   {"SIGXCPU", SIGXCPU},
     {"SIGXFSZ", SIGXFSZ}, {"SIGVTALRM", SIGVTALRM}, {"SIGPROF", SIGPROF}, {"SIGWINCH", SIGWINCH},
     {"SIGIO", SIGIO},     {"SIGPWR", SIGPWR},       {"SIGSYS", SIGSYS}}};
constexpr std::array<Named, 16> limits{{{"as", RLIMIT_AS},
                                        {"core", RLIMIT_CORE},
                                        {"cpu", RLIMIT_CPU},
                                        {"data", RLIMIT_DATA},
                                        {"fsize", RLIMIT_FSIZE},
                                        {"locks", RLIMIT_LOCKS},
                                        {"memlock", RLIMIT_MEMLOCK},
                                        {"msgqueue", RLIMIT_MSGQUEUE},
                                        {"nice", RLIMIT_NICE},
                                        {"nofile", RLIMIT_NOFILE},
                                        {"nproc", RLIMIT_NPROC},
                                        {"rss", RLIMIT_RSS},
                                        {"rtprio", RLIMIT_RTPRIO},
                                        {"rttime", RLIMIT_RTTIME},
                                        {"sigpending", RLIMIT_SIGPENDING},
                                        {"stack", RLIMIT_STACK}}};

template <std::size_t N>
constexpr std::array<std::string_view, N> names_of(const std::array<Named, N>& table) {
  std::array<std::string_view, N> names;
  for (std::size_t i = 0; i < N; ++i) names[i] = table[i].first;
  return names;
}
constexpr auto all_signal_names = names_of(signals);
constexpr auto all_limit_names = names_of(limits);

std::optional<int> number_in(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= low && value <= high ? std::optional(value) : std::nullopt;
}

// SIGRTMIN+n and SIGRTMAX-n. The C library keeps the first two for itself, so the numbers are not
// constants of the kernel.
std::optional<int> realtime(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  name.remove_prefix(5);
  const int base = from_min ? SIGRTMIN : SIGRTMAX;
  if (name.empty()) return base;
  if (name.front() != (from_min ? '+' : '-')) return std::nullopt;
  const auto offset = number_in(name.substr(1), 0, SIGRTMAX - SIGRTMIN);
  return offset ? std::optional(from_min ? base + *offset : base - *offset) : std::nullopt;
}

}  // namespace

std::optional<int> signal_number(std::string_view name) {
  if (const auto number = number_in(name, 1, SIGRTMAX)) return number;
  for (const auto& [known, number] : signals)
    if (name == known || name == known.substr(3)) return number;
  return realtime(name.starts_with("SIG") ? name.substr(3) : name);
}

std::string_view signal_name(int number) {
  for (const auto& [name, known] : signals)
    if (known == number) return name;
  return {};
}

std::span<const std::string_view> signal_names() { return all_signal_names; }

std::optional<int> limit_number(std::string_view name) {
  for (const auto& [known, number] : limits)
    if (name == known) return number;
  return std::nullopt;
}

std::span<const std::string_view> limit_names() { return all_limit_names; }

std::optional<int> capability_number(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string_view bare =
      upper.starts_with("CAP_") ? std::string_view(upper).substr(4) : std::string_view(upper);
  const auto found = std::ranges::find(text::capability_names, bare);
  if (found == text::capability_names.end()) return std::nullopt;
  return static_cast<int>(found - text::capability_names.begin());
}

std::string capability_name(int number) {
  if (number < 0 || static_cast<std::size_t>(number) >= text::capability_names.size())
    return "capability " + std::to_string(number);
  return "CAP_" + std::string(text::capability_names[static_cast<std::size_t>(number)]);
}

std::span<const std::string_view> capability_names() { return text::capability_names; }

}  // namespace belfry::config
