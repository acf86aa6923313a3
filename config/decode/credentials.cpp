// `credentials`: files that only the service reads. `environment_from`: what it inherits.
#include <cerrno>

#include "config/decode/decode.hpp"
#include "config/document/files.hpp"
#include "config/document/interpolate.hpp"
#include "config/keys/quote.hpp"

namespace belfry::config {
namespace {

constexpr std::size_t most_bytes = 1U << 20U;  // of all credentials of a service, as in systemd

// It is the name of a file.
bool is_credential_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." && !name.contains('/') &&
         !name.contains('\0');
}

const Node* path_node_of(Decoder& decoder, const Entry& entry) {
  if (!entry.value->is_mapping()) return entry.value;
  const Node* const file = entry.value->find("file");
  if (file != nullptr && entry.value->size == 1) return file;
  decoder.error("bad-value", *entry.value, "a credential is a path, or {file: PATH}",
                "put its value into a file that belfry alone may read, and write the path");
  return nullptr;
}

void read_one(Decoder& decoder, const Entry& entry, std::size_t& total, ServiceDraft& draft) {
  const std::string name(entry.key->text());
  if (!is_credential_name(name))
    return decoder.error("bad-name", *entry.key, quote(name) + " cannot name a credential",
                         "it is the name of a file: without `/`");
  const Node* const node = path_node_of(decoder, entry);
  const auto written = node == nullptr ? std::nullopt : decoder.free_text(*node);
  if (!written) return;
  const std::string path = decoder.absolute(*written, draft.service.working_dir);
  auto value = read_file(path, most_bytes);
  if (!value)
    return decoder.error(
        "cannot-read", *node, "cannot read the credential `" + path + "`: " + value.error().message,
        value.error().code == EFBIG ? "the credentials of a service are 1 MiB together at most"
                                    : "create the file, readable by belfry");
  total += value->size();
  if (total > most_bytes)
    return decoder.error("too-large", *node, "the credentials of a service are 1 MiB together at most",
                         "name smaller files, or fewer");
  if (readable_by_others(path))
    decoder.warning("open-secret", *node, "the credential `" + path + "` can be read by everybody",
                    "chmod o-r " + path);
  if (!decoder.hold(value->size(), node->span())) return;
  extras_of(draft.service).credentials.push_back({name, std::move(*value)});
}

}  // namespace

void decode_credentials(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  if (!decoder.expect_mapping(node, "`credentials`")) return;
  std::size_t total = 0;
  for (const Entry& entry : node.entries()) read_one(decoder, entry, total, draft);
}

void decode_environment_from(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  std::vector<std::string>& out = extras_of(draft.service).environment_from.emplace();
  if (node.is_sequence() && node.size == 0) return;
  for (std::string& name : decoder.texts(node)) {
    if (!is_variable_name(name))
      return decoder.error("bad-name", node, quote(name) + " cannot name a variable",
                           "use letters, digits and `_`");
    out.push_back(std::move(name));
  }
}

}  // namespace belfry::config
