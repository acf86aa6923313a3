#include "channels/detail/frame_pool.hpp"

#include <new>

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

// Trivially destructible on purpose: frames may be released after thread-local destructors ran.
struct Pool {
  Free* lists[largest_pooled / step + 1];
  char* slab;
  std::size_t left;
};

thread_local constinit Pool pool{};

[[gnu::noinline]] void* carve(std::size_t rounded) {
  if (pool.left < rounded) {
    // What is left of the old slab serves as one free frame of the size it has.
    if (pool.left >= step) {
      auto* rest = reinterpret_cast<Free*>(pool.slab);
      rest->next = pool.lists[pool.left / step];
      pool.lists[pool.left / step] = rest;
    }
    pool.slab = static_cast<char*>(::operator new(slab_size));
    pool.left = slab_size;
  }
  void* frame = pool.slab;
  pool.slab += rounded;
  pool.left -= rounded;
  return frame;
}

}  // namespace

void* allocate_frame(std::size_t size) {
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
#if defined(BELFRY_PLAIN_FRAMES)
  ::operator delete(memory, size);
#else
  if (size > largest_pooled) {
    ::operator delete(memory, size);
    return;
  }
  const std::size_t rounded = (size + step - 1) / step * step;
  auto* frame = static_cast<Free*>(memory);
  frame->next = pool.lists[rounded / step];
  pool.lists[rounded / step] = frame;
#endif
}

}  // namespace belfry::detail
