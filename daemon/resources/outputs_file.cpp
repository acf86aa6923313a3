#include "daemon/resources/outputs_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/document/dotenv.hpp"
#include "system/open_file.hpp"

namespace belfry::daemon {

namespace {

std::string why_unreadable(int errnum) {
  switch (errnum) {
    case EINVAL: return "it is no regular file";
    case EFBIG: return "it is larger than 64 KiB";
    case EPERM: return "it does not belong to the user of the service";
    default: return std::strerror(errnum);
  }
}

std::string line_at(std::string_view text, std::size_t offset) {
  return "line " + std::to_string(1 + std::ranges::count(text.substr(0, offset), '\n'));
}

}  // namespace

Result<OutputList> parse_outputs(std::string_view text) {
  OutputList outputs;
  config::EnvSyntax syntax(text, config::EnvSyntax::Dollars::text);
  while (const auto line = syntax.next()) {
    if (line->inherited)
      return std::unexpected(Error::failed(line_at(text, line->offset) + ": it has no `=`"));
    std::string value;
    for (const config::EnvText& part : line->value) value += part.text;
    outputs.emplace_back(line->name, std::move(value));
  }
  for (const config::EnvFault& fault : syntax.take_faults())
    if (fault.error)
      return std::unexpected(Error::failed(line_at(text, fault.offset) + ": " + fault.message));
  return outputs;
}

Result<OutputList> OutputsFile::read(const config::Service& spec, const LaunchSetup& setup) const {
  const std::string& path = spec.extras->outputs.file;
  const auto failed = [&path](const std::string& why) {
    return std::unexpected(Error::failed("cannot read its outputs " + path + ": " + why));
  };
  const auto now = system::FileStamp::of(path.c_str());  // before its text: what comes in between is newer
  if (now == before_ && now != system::FileStamp())
    return failed(
        "it has not been written since this run began (if what an earlier one has left there still " +
        std::string("holds, touch it in `pre_start`)"));
  const auto text = system::read_file_of(setup.user_of(spec), path, largest_outputs_file);
  if (!text) return failed(why_unreadable(text.error()));
  auto outputs = parse_outputs(*text);
  if (!outputs) return failed(outputs.error().text());
  return outputs;
}

}  // namespace belfry::daemon
