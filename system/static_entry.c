// The first instructions of a static belfry, before those of libc: `run` and `exec` block signals, so that a
// SIGTERM that comes before the loop waits for it. libc's own start takes most of a millisecond where `cpuid`
// traps, as it does in virtual machines. Nothing of libc works yet here: no thread pointer, no stack guard,
// no errno.
//
// Everything is blocked; which signals stay so is said a moment later by system/signal_block.cpp.
// (The stack at the entry is that of the psABI: argc, then argv.)
#include <asm/unistd.h>

static int is(const char* word, const char* wanted) {
  while (*word != 0 && *word == *wanted) ++word, ++wanted;
  return *word == *wanted;
}

static void block_every_signal(void) {
  const unsigned long all = ~0UL;
#if defined(__x86_64__)
  long result = __NR_rt_sigprocmask;
  register long size __asm__("r10") = sizeof all;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(2L /* SIG_SETMASK */), "S"(&all), "d"(0L), "r"(size)
                   : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long how __asm__("x0") = 2;  // SIG_SETMASK
  register const unsigned long* set __asm__("x1") = &all;
  register long old __asm__("x2") = 0;
  register long size __asm__("x3") = sizeof all;
  register long number __asm__("x8") = __NR_rt_sigprocmask;
  __asm__ volatile("svc 0" : "+r"(how) : "r"(set), "r"(old), "r"(size), "r"(number) : "memory");
#else
#error "cannot enter a static belfry on this processor: write how it calls the kernel and reaches _start"
#endif
}

__attribute__((used)) void belfry_before_libc(const long* stack) {
  const char* const* arguments = (const char* const*)(stack + 1);
  if (stack[0] > 1 && (is(arguments[1], "run") || is(arguments[1], "exec"))) block_every_signal();
}

// What libc's _start finds is what the kernel left: the stack, and no function to call at the end.
__attribute__((naked, used)) void belfry_entry(void) {
#if defined(__x86_64__)
  __asm__(
      "xor %ebp, %ebp\n\t"
      "mov %rsp, %rbx\n\t"
      "mov %rsp, %rdi\n\t"
      "and $-16, %rsp\n\t"
      "call belfry_before_libc\n\t"
      "mov %rbx, %rsp\n\t"
      "xor %edx, %edx\n\t"
      "jmp _start");
#elif defined(__aarch64__)
  __asm__(
      "mov x19, sp\n\t"
      "mov x0, sp\n\t"
      "bl belfry_before_libc\n\t"
      "mov sp, x19\n\t"
      "mov x0, #0\n\t"
      "b _start");
#endif
}
