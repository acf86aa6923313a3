#include "channels/detail/frame_pool.hpp"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define BELFRY_PLAIN_FRAMES 1
#endif
#endif

namespace belfry::detail {

namespace {

constexpr std::size_t step = 16;
constexpr std::size_t largest_pooled = 1024;
constexpr std::size_t slab_size = std::size_t{64} * 1024;

struct Free {
  Free* next;
};

constexpr std::size_t size_classes = largest_pooled / step + 1;

// Each slab begins with where the one before it begins, so that tools see that none is lost.
struct Slab {
  alignas(step) Slab* before;
};
static_assert(sizeof(Slab) == step);

// Trivially destructible on purpose: frames may be released after thread-local destructors ran.
struct Pool {
  Free* lists[size_classes];
  char* next;
  std::size_t left;
  Slab* slabs;
  bool has_heir;
};

thread_local constinit Pool pool{};

std::atomic<std::size_t> slab_count = 0;

#if !defined(NDEBUG)
std::atomic<std::size_t> living = 0;
void count(std::size_t change) noexcept { living.fetch_add(change, std::memory_order_relaxed); }
#else
void count(std::size_t) noexcept {}
#endif

#if !defined(BELFRY_PLAIN_FRAMES)

// What threads that have ended leave behind. Never destroyed: who knows which thread ends last.
struct Estate {
  std::mutex mutex;
  std::vector<Pool> pools;
};
Estate& estate() {
  static auto* const all = new Estate;
  return *all;
}

// Leaves the thread's pool to others. Called when the thread ends, after its thread-local destructors.
void leave_pool(void*) {
  const std::lock_guard lock(estate().mutex);
  estate().pools.push_back(std::exchange(pool, Pool{}));
  pool.has_heir = true;  // what comes now is lost, and little
}

// A key, and no thread-local object with a destructor: glibc has that done by what opens shared objects,
// which has no place in a static program.
pthread_key_t key_of_heirs() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    ::pthread_key_create(&made, &leave_pool);
    return made;
  }();
  return key;
}

// Takes over what an ended thread has left, and sees to it that it will be left again. What this thread has
// released already stays in front of it.
[[gnu::noinline]] void find_heir() {
  pool.has_heir = true;
  ::pthread_setspecific(key_of_heirs(), &pool);
  const std::lock_guard lock(estate().mutex);
  if (pool.slabs != nullptr || estate().pools.empty()) return;
  Pool taken = estate().pools.back();
  estate().pools.pop_back();
  for (std::size_t i = 0; i < size_classes; ++i) {
    if (pool.lists[i] == nullptr) {
      pool.lists[i] = taken.lists[i];
    } else if (taken.lists[i] != nullptr) {
      Free* last = pool.lists[i];
      while (last->next != nullptr) last = last->next;
      last->next = taken.lists[i];
    }
  }
  pool.next = taken.next;
  pool.left = taken.left;
  pool.slabs = taken.slabs;
}

void release_to(Free*& list, void* memory) noexcept {
  auto* frame = static_cast<Free*>(memory);
  frame->next = list;
  list = frame;
}

[[gnu::noinline]] void* carve(std::size_t rounded) {
  if (!pool.has_heir) {
    find_heir();
    if (Free*& list = pool.lists[rounded / step]) {
      Free* frame = list;
      list = frame->next;
      return frame;
    }
  }
  if (pool.left < rounded) {
    // What is left of the old slab serves as one free frame of the size it has.
    if (pool.left >= step) release_to(pool.lists[pool.left / step], pool.next);
    auto* slab = static_cast<Slab*>(::operator new(slab_size));
    slab_count.fetch_add(1, std::memory_order_relaxed);
    slab->before = std::exchange(pool.slabs, slab);
    pool.next = reinterpret_cast<char*>(slab) + sizeof(Slab);
    pool.left = slab_size - sizeof(Slab);
  }
  void* frame = pool.next;
  pool.next += rounded;
  pool.left -= rounded;
  return frame;
}

#endif

}  // namespace

std::size_t living_frames() noexcept {
#if !defined(NDEBUG)
  return living;
#else
  return 0;
#endif
}

std::size_t slabs() noexcept { return slab_count.load(std::memory_order_relaxed); }

void* allocate_frame(std::size_t size) {
  count(1);
#if defined(BELFRY_PLAIN_FRAMES)
  return ::operator new(size);
#else
  if (size > largest_pooled) return ::operator new(size);
  const std::size_t rounded = (size + step - 1) / step * step;
  Free*& list = pool.lists[rounded / step];
  if (list == nullptr) return carve(rounded);
  Free* frame = list;
  list = frame->next;
  return frame;
#endif
}

void release_frame(void* memory, std::size_t size) noexcept {
  count(static_cast<std::size_t>(-1));
#if defined(BELFRY_PLAIN_FRAMES)
  ::operator delete(memory, size);
#else
  if (size > largest_pooled) {
    ::operator delete(memory, size);
    return;
  }
  const std::size_t rounded = (size + step - 1) / step * step;
  Free*& list = pool.lists[rounded / step];
  if (list == nullptr && !pool.has_heir) [[unlikely]]
    find_heir();
  release_to(list, memory);
#endif
}

}  // namespace belfry::detail
