#include "cli/version.hpp"

#ifndef BELFRY_VERSION
#define BELFRY_VERSION "unknown"
#endif

namespace belfry::cli {

std::string_view version() { return BELFRY_VERSION; }

std::string version_text() {
  std::string text = "belfry " BELFRY_VERSION;
#ifdef __clang_version__
  text += " (clang ";
  text += std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + ")";
#endif
  return text + "\n";
}

}  // namespace belfry::cli
