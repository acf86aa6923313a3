#include "probes/databases/shared_library.hpp"

#include <dlfcn.h>

#include "text/escape.hpp"

namespace belfry::probes {

Result<SharedLibrary> SharedLibrary::load(const std::string& file, const std::string& package) {
  if (void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return SharedLibrary(handle, file);
  const char* const words = ::dlerror();
  const std::string why = words == nullptr ? "" : words;
  const std::string missing = why.contains("No such file") && why.starts_with(file)
                                  ? file + " is not installed"
                                  : file + " cannot be loaded (" + text::visible(why) + ")";
  return std::unexpected(
      Error(Error::Kind::invalid, missing + ": apt install " + package + ", or remove `query:`"));
}

void* SharedLibrary::symbol(const char* name) {
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr) missing_ = name;
  return found;
}

Result<void> SharedLibrary::complete() const {
  if (missing_.empty()) return {};
  return std::unexpected(Error(Error::Kind::invalid, file_ + " is too old: it has no " + missing_ +
                                                         "; install a newer one, or remove `query:`"));
}

}  // namespace belfry::probes
