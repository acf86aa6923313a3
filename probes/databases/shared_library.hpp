// A library that is loaded when it is needed, and its functions by their names.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "channels/error.hpp"

namespace belfry::probes {

// Owner: a table of functions that lives as long as the program: nothing is ever unloaded, because libraries
// of databases leave destructors and locks of others behind.
class SharedLibrary {
 public:
  // The error: "libpq.so.5 is not installed: apt install libpq5, or remove `query:`".
  static Result<SharedLibrary> load(const std::string& file, const std::string& package);

  // Sets `function`; what is missing is remembered.
  template <class Function>
  void find(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(symbol(name));
  }
  // Every function was there. The error names one that was not.
  [[nodiscard]] Result<void> complete() const;

 private:
  explicit SharedLibrary(void* handle, std::string file) : handle_(handle), file_(std::move(file)) {}
  void* symbol(const char* name);
  void* handle_;
  std::string file_, missing_;
};

// The functions of a library, which is loaded with the first call that finds it and lives as long as the
// program. `Functions` names its file and package, and finds them in it.
template <class Functions>
Result<const Functions*> the_library() {
  static std::optional<Functions> loaded;
  if (loaded) return &*loaded;
  auto from = SharedLibrary::load(Functions::file, Functions::package);
  if (!from) return std::unexpected(from.error());
  Functions found;
  found.find_in(*from);
  if (auto all = from->complete(); !all) return std::unexpected(all.error());
  return &loaded.emplace(found);
}

}  // namespace belfry::probes
