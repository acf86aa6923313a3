// The addresses that a host's own file gives to names: hosts(5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channels/asio.hpp"
#include "system/file_stamp.hpp"

namespace belfry::probes {

// The file is read at the first question and again whenever it has changed. Its text is kept as it is, with
// an index of its names, because some of these files have a hundred thousand lines.
class HostsFile {
 public:
  explicit HostsFile(std::string path) : path_(std::move(path)) {}

  // In the order of the file, each once, whatever the case of the name. Empty: the file does not know the
  // name, or there is no such file.
  [[nodiscard]] std::vector<asio::ip::address> find(std::string_view name);

 private:
  struct NamePlace {
    std::uint32_t hash;  // of a name
    std::uint32_t line;  // where its line begins
  };

  void read_if_changed();
  void index();

  std::string path_;
  bool was_read_ = false;
  system::FileStamp stamp_;
  std::string text_;
  std::vector<NamePlace> names_;  // by hash, then by line
};

}  // namespace belfry::probes
