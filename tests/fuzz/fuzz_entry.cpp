// One libFuzzer program for each target; BELFRY_FUZZ_TARGET names it.
#include <cstddef>
#include <cstdint>

#include "config_targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  belfry::fuzz::BELFRY_FUZZ_TARGET({reinterpret_cast<char const*>(data), size});
  return 0;
}
