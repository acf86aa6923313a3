// Memory for coroutine frames.
//
// Frames come and go by the million and have a handful of sizes, so each thread keeps free lists by
// size class (16 bytes apart) over 64 KiB slabs: no header per frame, a few instructions each way.
// Slabs are kept for reuse and never given back. Under AddressSanitizer the ordinary allocator is
// used, so that a use after destruction is seen.
#pragma once

#include <cstddef>

namespace belfry::detail {

void* allocate_frame(std::size_t size);
void release_frame(void* frame, std::size_t size) noexcept;

// Base of promises and of other small objects that live as briefly as a frame.
struct Pooled {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { release_frame(memory, size); }
};

}  // namespace belfry::detail
