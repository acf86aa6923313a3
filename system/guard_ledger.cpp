#include "system/guard_ledger.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "system/clock.hpp"
#include "system/proc.hpp"

namespace belfry::system {

namespace {

// A power of two. Of two leaders whose numbers are so far apart the older one is forgotten: what it has left
// is still known by its environment.
constexpr std::size_t places = 1U << 16U;

std::uint64_t ticks_since_boot() { return static_cast<std::uint64_t>(time_since_boot() / clock_tick()); }

}  // namespace

// belfry may be killed between any two instructions: what is written in several steps counts by the last one.
// Of a half-written path the guard would kill a cgroup further up.
struct GuardLedger::Page {
  struct Entry {
    std::atomic<pid_t> leader;
    std::atomic<std::uint64_t> noted_at;  // in clock ticks since the boot, as proc::born_at() counts
  };
  std::array<char, 4096> cgroup;
  std::atomic<std::size_t> cgroup_size;
  std::array<Entry, places> entries;
};

GuardLedger::GuardLedger() : page_(nullptr) {
  void* const memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw std::system_error(errno, std::generic_category(), "cannot map the guard's ledger");
  page_ = static_cast<Page*>(memory);
}

GuardLedger::~GuardLedger() { ::munmap(page_, sizeof(Page)); }

void GuardLedger::add(pid_t leader) {
  Page::Entry& entry = page_->entries[static_cast<std::size_t>(leader) % places];
  entry.noted_at = ticks_since_boot();
  entry.leader = leader;
}

void GuardLedger::remove(pid_t leader) {
  Page::Entry& entry = page_->entries[static_cast<std::size_t>(leader) % places];
  if (entry.leader == leader) entry.leader = 0;
}

void GuardLedger::set_cgroup(std::string_view directory) {
  if (directory.size() > page_->cgroup.size()) return;
  page_->cgroup_size = 0;
  std::ranges::copy(directory, page_->cgroup.begin());
  page_->cgroup_size = directory.size();
}

bool GuardLedger::has_session(pid_t session) const {
  const Page::Entry& entry = page_->entries[static_cast<std::size_t>(session) % places];
  if (session <= 0 || entry.leader != session) return false;
  // While anybody is in the session its number is nobody else's; so a leader that was born after the entry
  // was written leads another one.
  const auto born = proc::born_at(session);
  return !born || *born <= entry.noted_at + 1;
}

std::vector<pid_t> GuardLedger::leaders() const {
  std::vector<pid_t> found;
  for (const Page::Entry& entry : page_->entries) {
    if (const pid_t leader = entry.leader; leader > 0) found.push_back(leader);
  }
  return found;
}

std::string_view GuardLedger::cgroup() const { return {page_->cgroup.data(), page_->cgroup_size}; }

}  // namespace belfry::system
