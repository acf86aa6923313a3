// Files that are gone with the test, and a name looked up to its end.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "probes/net/resolver.hpp"

namespace belfry::test {

class TemporaryFile {
 public:
  TemporaryFile() {
    std::string place = "/tmp/belfry-names-XXXXXX";
    if (::mkdtemp(place.data()) == nullptr) std::abort();
    directory_ = place;
    path_ = place + "/file";
  }
  explicit TemporaryFile(std::string_view text) : TemporaryFile() { write(text); }
  ~TemporaryFile() {
    remove();
    ::rmdir(directory_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view text) const { std::ofstream(path_) << text; }
  void remove() const { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string directory_, path_;
};

using Found = Result<std::vector<probes::Endpoint>>;

inline Task<void> resolve_into(Context& ctx, probes::Resolver& resolver, std::string host,
                               std::optional<Found>& into) {
  Found found = co_await resolver.resolve(ctx, host, 80);
  into.emplace(std::move(found));
}

// "::1 127.0.0.1", or why not.
inline std::string text_of(const std::optional<Found>& found) {
  if (!found) return "still waits";
  if (!*found) return found->error().text();
  std::string all;
  for (const probes::Endpoint& endpoint : **found)
    all += (all.empty() ? "" : " ") + endpoint.address().to_string();
  return all;
}

// Looks one name up to its end; `patience` is the context's deadline.
inline std::string resolved(Loop& loop, probes::Resolver& resolver, const std::string& host,
                            Duration patience = std::chrono::seconds(20)) {
  Context root(loop);
  Context ctx(root, loop.now() + patience);
  std::optional<Found> found;
  TaskHandle task = spawn(loop, "resolve", resolve_into(ctx, resolver, host, found));
  loop.run();
  return text_of(found);
}

}  // namespace belfry::test
