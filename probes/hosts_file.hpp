// The addresses that a host's own file gives to names: hosts(5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channels/asio.hpp"
#include "probes/file_stamp.hpp"

namespace belfry::probes {

// Owner: the resolver. Lifecycle: read at the first question and again whenever the file has changed; its
// text is kept, because some of these files have a hundred thousand lines. Cancellation: none; nothing waits.
class HostsFile {
 public:
  explicit HostsFile(std::string path) : path_(std::move(path)) {}

  // In the order of the file, each once, whatever the case of the name. Empty: the file does not know the
  // name, or there is no such file.
  [[nodiscard]] std::vector<asio::ip::address> find(std::string_view name);

 private:
  struct Entry {
    std::uint32_t hash;  // of a name
    std::uint32_t line;  // where its line begins
  };

  void read_if_changed();
  bool read();
  void index();

  std::string path_;
  bool was_read_ = false;
  FileStamp stamp_;
  std::string text_;
  std::vector<Entry> entries_;  // by hash, then by line
};

}  // namespace belfry::probes
