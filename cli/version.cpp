#include "cli/version.hpp"

#include <gnu/libc-version.h>

namespace belfry::cli {

std::string_view version() { return BELFRY_VERSION; }

// glibc's version is that of the machine, and in a static build that of the builder, as OpenSSL's is.
std::string version_text() {
  std::string text = "belfry " BELFRY_VERSION " (" BELFRY_LINKED "; " BELFRY_TLS_BY "; malloc of glibc ";
  text += gnu_get_libc_version();
#ifdef __clang_version__
  text += "; clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#endif
  return text + ")\n";
}

}  // namespace belfry::cli
