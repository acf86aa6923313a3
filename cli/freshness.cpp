#include "cli/freshness.hpp"

#include <filesystem>

#include "system/file_stamp.hpp"
#include "text/escape.hpp"

namespace belfry::cli {

std::string stale_files(const client::StackStatus& status) {
  std::string names;
  for (const client::SourceFile& file : status.files) {
    const std::int64_t now = system::FileStamp::changed_at(file.path.c_str());
    // One that has gone is about to be replaced, or cannot be seen from here.
    if (now == 0 || now == file.modified_ns) continue;
    (names += names.empty() ? "" : ", ") += std::filesystem::path(file.path).filename().string();
  }
  if (names.empty()) return {};
  const bool several = names.contains(", ");
  return text::visible(names) + (several ? " have" : " has") + " changed since belfry read " +
         (several ? "them" : "it");
}

std::string stale_hint(const client::StackStatus& status) {
  const std::string stale = stale_files(status);
  if (stale.empty()) return {};
  return stale + ": what runs is the older one, until `belfry reload`\n";
}

}  // namespace belfry::cli
