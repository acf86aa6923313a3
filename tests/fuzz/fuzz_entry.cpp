// All targets in one libFuzzer program, so that there is one to build; BELFRY_FUZZ_TARGET in its
// environment names the one to run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "config_targets.hpp"

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
void (*chosen)(std::string_view bytes) = nullptr;
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("BELFRY_FUZZ_TARGET");
  const auto& targets = belfry::fuzz::targets;
  const auto* const found =
      std::ranges::find(targets, std::string_view(name == nullptr ? "" : name), &belfry::fuzz::Target::name);
  if (found == targets.end()) {
    std::fputs("cannot fuzz: BELFRY_FUZZ_TARGET names none of the targets in config_targets.hpp\n", stderr);
    std::exit(64);
  }
  chosen = found->run;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen({reinterpret_cast<const char*>(data), size});
  return 0;
}
