#include "cli/version.hpp"

#include <gnu/libc-version.h>

#include "text/escape.hpp"

namespace belfry::cli {

std::string_view version() { return BELFRY_VERSION; }

// glibc's version is that of the machine, and in a static build that of the builder, as OpenSSL's is.
namespace {

std::string build_text() {
  std::string text = BELFRY_LINKED "; " BELFRY_TLS_BY "; malloc of glibc ";
  text += gnu_get_libc_version();
#ifdef __clang_version__
  text += "; clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#endif
  return text;
}

}  // namespace

std::string version_text() { return "belfry " BELFRY_VERSION " (" + build_text() + ")\n"; }

std::string version_json() {
  return R"({"version": ")" BELFRY_VERSION R"(", "build": )" + text::json_string(build_text()) + "}\n";
}

}  // namespace belfry::cli
