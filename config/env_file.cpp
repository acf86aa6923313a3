#include "config/env_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_map>

#include "config/decode.hpp"
#include "config/files.hpp"

namespace belfry::config {

struct EnvFileDraft {
  std::string path;
  Node const* path_node = nullptr;
  bool required = true;
};

namespace {

constexpr std::array<Field<EnvFileDraft>, 2> env_file_table{{
    {{"path", "path", "needed", "The file.", "app.env"},
     [](Decoder& d, Entry const& e, EnvFileDraft& out) {
       out.path = d.free_text(*e.value).value_or("");
       out.path_node = e.value;
     }},
    {{"required", "boolean", "true", "`false`: a missing file is no error.", "false"},
     [](Decoder& d, Entry const& e, EnvFileDraft& out) {
       out.required = d.boolean(*e.value).value_or(true);
     }},
}};

std::string_view trimmed(std::string_view text) {
  auto const start = text.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

// One line of the file being read, and where it is.
class LineReader {
 public:
  LineReader(Decoder& decoder, std::uint32_t source, Pairs& out)
      : decoder_(decoder), source_(source), out_(out) {
    for (std::size_t i = 0; i < out.size(); ++i) at_.emplace(out[i].first, i);
  }

  void read(std::uint32_t number, std::string_view line) {
    number_ = number;
    line_ = line;
    std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#') return;
    if (text.starts_with("export ")) text = trimmed(text.substr(7));
    auto const equals = text.find('=');
    std::string_view const name = trimmed(text.substr(0, equals));
    if (equals == std::string_view::npos || !is_variable_name(name))
      return report(name, "`" + std::string(text.substr(0, 60)) + "` is not of the form KEY=VALUE",
                    "write KEY=VALUE, or begin a comment with #");
    auto value = value_of(trimmed(text.substr(equals + 1)));
    if (!value) return;
    auto const [known, fresh] = at_.emplace(std::string(name), out_.size());
    if (fresh)
      out_.emplace_back(name, std::move(*value));
    else
      out_[known->second].second = std::move(*value);
  }

 private:
  std::optional<std::string> value_of(std::string_view text) {
    if (text.starts_with('\'') || text.starts_with('"')) return quoted(text);
    std::size_t end = text.size();
    for (std::size_t at = 1; at < text.size(); ++at)
      if (text[at] == '#' && (text[at - 1] == ' ' || text[at - 1] == '\t')) {
        end = at;
        break;
      }
    if (text.starts_with('#')) end = 0;
    return with_variables(trimmed(text.substr(0, end)));
  }

  std::optional<std::string> quoted(std::string_view text) {
    char const quote = text.front();
    std::string raw;
    std::size_t at = 1;
    for (; at < text.size() && text[at] != quote; ++at) {
      if (quote == '"' && text[at] == '\\' && at + 1 < text.size()) {
        char const next = text[++at];
        if (next == '$') raw += '$';  // `\$` becomes `$$`, which stays one `$`
        raw += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next;
      } else {
        raw += text[at];
      }
    }
    if (at >= text.size()) {
      report(text, "this quote is never closed",
             "close it on the same line; a line break is \\n in double quotes");
      return std::nullopt;
    }
    return quote == '"' ? with_variables(raw) : std::optional(std::move(raw));
  }

  std::optional<std::string> with_variables(std::string_view raw) {
    std::vector<VariableFault> faults;
    bool full = false;
    auto const lookup = [&](std::string_view name) -> std::optional<std::string> {
      auto const known = at_.find(std::string(name));
      auto value = known == at_.end() ? decoder_.variable(name) : out_[known->second].second;
      full = full || (value && !decoder_.hold(value->size(), span(raw)));
      return full ? std::nullopt : std::move(value);
    };
    std::string value = interpolate(raw, lookup, faults);
    if (full) return std::nullopt;
    for (VariableFault& fault : faults) {
      std::string_view const part = raw.substr(fault.offset, fault.length);
      decoder_.diagnostics().add({fault.error ? Severity::error : Severity::warning,
                                  fault.error ? "bad-variable" : "unset-variable",
                                  span(part),
                                  std::move(fault.message),
                                  std::move(fault.help),
                                  {}});
    }
    return value;
  }

  Span span(std::string_view part) const {
    auto const at = line_.find(part);
    return {source_, number_, static_cast<std::uint32_t>(at == std::string_view::npos ? 1 : at + 1),
            static_cast<std::uint32_t>(std::max<std::size_t>(1, part.size()))};
  }

  void report(std::string_view part, std::string message, std::string help) {
    decoder_.diagnostics().error("bad-env-file", span(part), std::move(message), std::move(help));
  }

  Decoder& decoder_;
  std::uint32_t source_;
  Pairs& out_;
  std::unordered_map<std::string, std::size_t> at_;  // name → index in out_
  std::uint32_t number_ = 0;
  std::string_view line_;
};

constexpr std::size_t most_env_file = 1U << 20U;
constexpr std::size_t most_env_bytes = 256U << 20U;  // of all files as often as they are named

std::string help_against(FileFault const& fault, std::string_view absent) {
  switch (fault.code) {
    case ENOENT: return std::string(absent);
    case EFBIG: return "name a smaller file";
    case EINVAL:
    case EISDIR: return "name a regular file";
    default: return "let the user read it whom belfry runs as";
  }
}

void read_env_file(Decoder& decoder, EnvFileDraft const& file, ServiceDraft& draft) {
  std::string const path = decoder.absolute(file.path, draft.service.working_dir);
  auto& sources = decoder.diagnostics().sources();
  auto const [known, fresh] =
      draft.stack.env_sources.emplace(path, static_cast<std::uint32_t>(sources.size()));
  if (fresh) {
    auto text = read_file(path, most_env_file);
    if (!text) {
      draft.stack.env_sources.erase(known);
      if (file.required || text.error().code != ENOENT)
        decoder.error("cannot-read", *file.path_node, "cannot read `" + path + "`: " + text.error().message,
                      help_against(text.error(), "create it, or write {path: …, required: false}"));
      return;
    }
    sources.emplace_back(path, std::move(*text));
  }
  std::uint32_t const source = known->second;
  draft.stack.env_bytes += sources[source].text().size();
  if (draft.stack.env_bytes > most_env_bytes)
    return decoder.error("too-large", *file.path_node, "the files of `env_file` are more than 256 MiB",
                         "name smaller files, or fewer");
  read_env_text(decoder, source, draft.env_file);
}

}  // namespace

void read_env_text(Decoder& decoder, std::uint32_t source, Pairs& out) {
  std::string_view const text = decoder.diagnostics().sources()[source].text();
  if (auto const fault = find_text_fault(text)) {
    auto const line = static_cast<std::uint32_t>(std::ranges::count(text.substr(0, fault->offset), '\n') + 1);
    decoder.diagnostics().error("bad-text", {source, line, 1}, fault->message, fault->help);
    return;
  }
  LineReader reader(decoder, source, out);
  std::uint32_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const end = std::min(text.find('\n', at), text.size());
    reader.read(++number, text.substr(at, end - at));
    at = end + 1;
  }
}

std::optional<std::string> DotEnv::find(std::string_view name) {
  if (!read_) read();
  auto const found = values_.find(std::string(name));
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

void DotEnv::read() {
  read_ = true;  // first: a line of the file may ask for a variable itself
  std::string const path = decoder_.directory() + "/.env";
  auto text = read_file(path, most_env_file);
  auto& sources = decoder_.diagnostics().sources();
  auto const source = static_cast<std::uint32_t>(sources.size());
  if (!text) {
    // A directory of that name is the habit of Python's virtual environments.
    if (text.error().code == ENOENT || text.error().code == ENOTDIR || text.error().code == EISDIR) return;
    sources.emplace_back(path, "");
    decoder_.diagnostics().warning("cannot-read", {source, 0, 0},
                                   "cannot read this file: " + text.error().message,
                                   "variables are looked for in it: make it readable, or remove it");
    return;
  }
  sources.emplace_back(path, std::move(*text));
  Pairs pairs;
  read_env_text(decoder_, source, pairs);
  for (auto& [name, value] : pairs) values_.insert_or_assign(std::move(name), std::move(value));
}

Fields<EnvFileDraft> env_file_fields() { return env_file_table; }

void decode_env_files(Decoder& decoder, Node const& node, ServiceDraft& draft) {
  auto const one = [&](Node const& item) {
    EnvFileDraft file;
    if (item.is_mapping()) {
      decoder.mapping(item, "an `env_file`", env_file_fields(), file);
      if (item.find("path") == nullptr)
        return decoder.error("missing-key", item, "an `env_file` needs a `path`", "write {path: app.env}");
    } else {
      file.path = decoder.free_text(item).value_or("");
      file.path_node = &item;
    }
    if (!file.path.empty() && file.path_node != nullptr) read_env_file(decoder, file, draft);
  };
  if (!node.is_sequence()) return one(node);
  for (Node const* item : node.items()) one(*item);
}

void decode_secrets(Decoder& decoder, Node const& node, ServiceDraft& draft) {
  if (!decoder.expect_mapping(node, "`secrets`")) return;
  for (Entry const& entry : node.entries()) {
    std::string const name(entry.key->text());
    if (!is_variable_name(name)) {
      decoder.error("bad-name", *entry.key, "`" + name + "` cannot name a variable",
                    "use letters, digits and `_`");
      continue;
    }
    auto const written = decoder.free_text(*entry.value);
    if (!written) continue;
    std::string const path = decoder.absolute(*written, draft.service.working_dir);
    auto text = read_file(path, 1U << 16U);
    if (!text) {
      decoder.error("cannot-read", *entry.value,
                    "cannot read the secret `" + path + "`: " + text.error().message,
                    help_against(text.error(), "create the file, readable by belfry"));
      continue;
    }
    if (text->contains('\0')) {
      decoder.error("bad-value", *entry.value, "the secret `" + path + "` contains a NUL byte",
                    "a variable cannot hold it: encode it");
      continue;
    }
    if (readable_by_others(path))
      decoder.warning("open-secret", *entry.value, "the secret `" + path + "` can be read by everybody",
                      "chmod o-r " + path);
    if (!decoder.hold(text->size(), entry.value->span())) return;
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    extras_of(draft.service).secrets.push_back({name, std::move(*text)});
  }
}

}  // namespace belfry::config
