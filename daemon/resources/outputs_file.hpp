// `outputs: {file: …}`: what a service has written down for others.
#pragma once

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "daemon/resources/launch_setup.hpp"
#include "daemon/service/outputs.hpp"
#include "system/file_stamp.hpp"

namespace belfry::daemon {

inline constexpr std::size_t largest_outputs_file = 65536;

// `text` in the syntax of env files, in which a `$` is a character like others and each variable has a value.
// The error names the line, and shows nothing of it: it may be a secret.
[[nodiscard]] Result<OutputList> parse_outputs(std::string_view text);

// What an earlier run has left in the file is not believed: a port in it may be somebody else's by now.
class OutputsFile {
 public:
  // Nothing of the run has been started.
  void begin_run(const config::Service& spec) {
    before_ = system::FileStamp::of(spec.extras->outputs.file.c_str());
  }
  // As it is now: a small file, whose owner must be the service's user, and which is not as it was before.
  [[nodiscard]] Result<OutputList> read(const config::Service& spec, const LaunchSetup& setup) const;

 private:
  system::FileStamp before_;
};

}  // namespace belfry::daemon
