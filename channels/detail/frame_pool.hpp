// Memory for coroutine frames.
//
// Frames come and go by the million and have a handful of sizes, so each thread keeps free lists by
// size class (16 bytes apart) over 64 KiB slabs: no header per frame, a few instructions each way.
// Slabs are kept for reuse and never given back to the system: a thread that ends leaves its lists to the
// next one that needs frames, so what is held is bounded by the threads that ran at once. A frame may be
// released by another thread than the one that allocated it. Under AddressSanitizer the ordinary allocator is
// used, so that a use after destruction is seen.
#pragma once

#include <cstddef>

namespace belfry::detail {

// How many frames are there, of all threads: the census that tests take. Counted in builds with assertions
// only.
std::size_t living_frames() noexcept;
// How many slabs the whole process has asked for. None where the ordinary allocator is used.
std::size_t slabs() noexcept;

void* allocate_frame(std::size_t size);
void release_frame(void* frame, std::size_t size) noexcept;

// Base of promises and of other small objects that live as briefly as a frame.
struct Pooled {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { release_frame(memory, size); }
};

}  // namespace belfry::detail
