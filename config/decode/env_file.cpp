#include "config/decode/env_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <expected>
#include <unordered_map>

#include "config/decode/decode.hpp"
#include "config/document/dotenv.hpp"
#include "config/document/files.hpp"

namespace belfry::config {

struct EnvFileDraft {
  std::string path;
  const Node* path_node = nullptr;
  bool required = true;
};

namespace {

constexpr std::array<Field<EnvFileDraft>, 2> env_file_table{{
    {{"path", "path", "needed", "The file.", "app.env"},
     [](Decoder& d, const Entry& e, EnvFileDraft& out) {
       out.path = d.free_text(*e.value).value_or("");
       out.path_node = e.value;
     }},
    {{"required", "boolean", "true", "`false`: a missing file is no error.", "false"},
     [](Decoder& d, const Entry& e, EnvFileDraft& out) {
       out.required = d.boolean(*e.value).value_or(true);
     }},
}};

// Turns offsets of a text into lines and columns. Asked in the order of the text it goes over it once.
class Places {
 public:
  Places(std::string_view text, std::uint32_t source) : text_(text), source_(source) {}

  Span at(std::size_t offset, std::size_t length) {
    if (offset < line_start_) line_start_ = line_ = 0;
    for (auto end = text_.find('\n', line_start_); end < offset; end = text_.find('\n', line_start_)) {
      line_start_ = end + 1;
      ++line_;
    }
    return {source_, line_ + 1, static_cast<std::uint32_t>(offset - line_start_ + 1),
            static_cast<std::uint32_t>(std::max<std::size_t>(1, length))};
  }

 private:
  std::string_view text_;
  std::uint32_t source_;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 0;
};

// Reads one file into the variables of those that were read before it.
class EnvReader {
 public:
  EnvReader(Decoder& decoder, std::uint32_t source, Pairs& out)
      : decoder_(decoder),
        syntax_(decoder.diagnostics().sources()[source].text()),
        places_(decoder.diagnostics().sources()[source].text(), source),
        out_(out) {
    for (std::size_t i = 0; i < out.size(); ++i) at_.emplace(out[i].first, i);
  }

  void run() {
    while (const auto line = syntax_.next()) {
      report_faults();
      auto value = line->inherited ? inherited(*line) : value_of(*line);
      if (value) keep(line->name, std::move(*value));
    }
    report_faults();
  }

 private:
  void report_faults() {
    for (EnvFault& fault : syntax_.take_faults())
      add(fault.error ? Severity::error : Severity::warning,
          fault.error ? "bad-env-file" : "doubtful-env-file", places_.at(fault.offset, fault.length),
          std::move(fault.message), std::move(fault.help));
  }

  void add(Severity severity, std::string_view rule, Span where, std::string message, std::string help) {
    decoder_.diagnostics().add({severity, rule, where, std::move(message), std::move(help), {}});
  }

  void keep(std::string_view name, std::string value) {
    const auto [known, fresh] = at_.emplace(std::string(name), out_.size());
    if (fresh)
      out_.emplace_back(name, std::move(value));
    else
      out_[known->second].second = std::move(value);
  }

  std::optional<std::string> inherited(const EnvLine& line) {
    auto value = decoder_.variable(line.name);
    // The name is not repeated: a line like this may be a piece of a key that lost its quotes.
    if (!value)
      add(Severity::warning, "unset-variable", places_.at(line.offset, line.name.size()),
          "a variable without a value here, and belfry's environment has none for it: services get none",
          "write KEY=VALUE, and a value of several lines in quotes");
    return value && decoder_.hold(value->size(), places_.at(line.offset, line.name.size())) ? std::move(value)
                                                                                            : std::nullopt;
  }

  std::optional<std::string> value_of(const EnvLine& line) {
    std::string value;
    for (const EnvText& part : line.value) {
      if (!part.variables) {
        value += part.text;
        continue;
      }
      auto replaced = with_variables(line, part);
      if (!replaced) return std::nullopt;
      value += *replaced;
    }
    return value;
  }

  // As in compose, belfry's environment comes before what stands further up.
  std::optional<std::string> look_up(std::string_view name) const {
    if (auto value = decoder_.variable(name)) return value;
    const auto known = at_.find(std::string(name));
    return known == at_.end() ? std::nullopt : std::optional(out_[known->second].second);
  }

  std::optional<std::string> with_variables(const EnvLine& line, const EnvText& part) {
    std::vector<VariableFault> faults;
    bool full = false;
    const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
      auto value = look_up(name);
      full = full || (value && !decoder_.hold(value->size(), places_.at(part.offset, part.text.size())));
      return full ? std::nullopt : std::move(value);
    };
    std::string value = interpolate(part.text, lookup, faults);
    if (full) return std::nullopt;
    bool good = true;
    for (VariableFault& fault : faults) {
      good = good && !fault.error;
      report_variable(line, part, fault);
    }
    return good ? std::optional(std::move(value)) : std::nullopt;
  }

  // What looks like a variable may be the end of a password: it is shown by its place alone.
  void report_variable(const EnvLine& line, const EnvText& part, VariableFault& fault) {
    const std::string whose = "the value of `" + std::string(line.name) + "` ";
    const Span where = places_.at(syntax_.place_of(part, fault.offset), fault.length);
    constexpr std::string_view as_text = "write $$ for one `$`, or put the value in single quotes";
    switch (fault.kind) {
      case VariableFault::Kind::unset:
        return add(Severity::warning, "unset-variable", where,
                   whose + "names a variable here that is not set; nothing is put in its place",
                   std::string(as_text) + "; ${NAME:-DEFAULT} has a default");
      case VariableFault::Kind::malformed:
        return add(Severity::error, "bad-variable", where, whose + "has a `${` here that is no variable",
                   std::string(as_text));
      case VariableFault::Kind::needed:
      case VariableFault::Kind::too_long:
        return add(Severity::error, "bad-variable", where, std::move(fault.message), std::move(fault.help));
    }
  }

  Decoder& decoder_;
  EnvSyntax syntax_;
  Places places_;
  Pairs& out_;
  std::unordered_map<std::string, std::size_t> at_;  // name → index in out_
};

constexpr std::size_t most_env_file = 1U << 20U;
constexpr std::size_t most_env_bytes = 256U << 20U;  // of all files as often as they are named

// Without the byte order mark that some editors write.
std::expected<std::string, FileFault> read_env_file_text(const std::string& path) {
  auto text = read_file(path, most_env_file);
  if (text && text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
  return text;
}

std::string help_against(const FileFault& fault, std::string_view absent) {
  switch (fault.code) {
    case ENOENT: return std::string(absent);
    case EFBIG: return "name a smaller file";
    case EINVAL:
    case EISDIR: return "name a regular file";
    default: return "let the user read it whom belfry runs as";
  }
}

void read_env_file(Decoder& decoder, const EnvFileDraft& file, ServiceDraft& draft) {
  const std::string path = decoder.absolute(file.path, draft.service.working_dir);
  auto& sources = decoder.diagnostics().sources();
  const auto [known, fresh] =
      draft.stack.env_sources.emplace(path, static_cast<std::uint32_t>(sources.size()));
  if (fresh) {
    auto text = read_env_file_text(path);
    if (!text) {
      draft.stack.env_sources.erase(known);
      if (file.required || text.error().code != ENOENT)
        decoder.error("cannot-read", *file.path_node, "cannot read `" + path + "`: " + text.error().message,
                      help_against(text.error(), "create it, or write {path: …, required: false}"));
      return;
    }
    sources.emplace_back(path, std::move(*text), Excerpts::withheld);
  }
  const std::uint32_t source = known->second;
  draft.stack.env_bytes += sources[source].text().size();
  if (draft.stack.env_bytes > most_env_bytes)
    return decoder.error("too-large", *file.path_node, "the files of `env_file` are more than 256 MiB",
                         "name smaller files, or fewer");
  read_env_text(decoder, source, draft.env_file);
}

}  // namespace

void read_env_text(Decoder& decoder, std::uint32_t source, Pairs& out) {
  const std::string_view text = decoder.diagnostics().sources()[source].text();
  const auto fault = find_text_fault(text);
  if (!fault) return EnvReader(decoder, source, out).run();
  const bool control = fault->message.starts_with("control");
  decoder.diagnostics().error("bad-text", Places(text, source).at(fault->offset, 1), fault->message,
                              !control ? fault->help
                              : text[fault->offset] == '\0'
                                  ? "a variable cannot hold a NUL byte: encode the value"
                                  : "write it in double quotes as \\0 and three octal digits");
}

std::optional<std::string> DotEnv::find(std::string_view name) {
  if (!read_) read();
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

void DotEnv::read() {
  read_ = true;  // first: a line of the file may ask for a variable itself
  const std::string path = decoder_.directory() + "/.env";
  auto text = read_env_file_text(path);
  auto& sources = decoder_.diagnostics().sources();
  const auto source = static_cast<std::uint32_t>(sources.size());
  if (!text) {
    // A directory of that name is the habit of Python's virtual environments.
    if (text.error().code == ENOENT || text.error().code == ENOTDIR || text.error().code == EISDIR) return;
    sources.emplace_back(path, "");
    decoder_.diagnostics().warning("cannot-read", {source, 0, 0},
                                   "cannot read this file: " + text.error().message,
                                   "variables are looked for in it: make it readable, or remove it");
    return;
  }
  sources.emplace_back(path, std::move(*text), Excerpts::withheld);
  Pairs pairs;
  read_env_text(decoder_, source, pairs);
  for (auto& [name, value] : pairs) values_.insert_or_assign(std::move(name), std::move(value));
}

Fields<EnvFileDraft> env_file_fields() { return env_file_table; }

void decode_env_files(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  const auto one = [&](const Node& item) {
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
  for (const Node* item : node.items()) one(*item);
}

void decode_secrets(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  if (!decoder.expect_mapping(node, "`secrets`")) return;
  for (const Entry& entry : node.entries()) {
    const std::string name(entry.key->text());
    if (!is_variable_name(name)) {
      decoder.error("bad-name", *entry.key, "`" + name + "` cannot name a variable",
                    "use letters, digits and `_`");
      continue;
    }
    const auto written = decoder.free_text(*entry.value);
    if (!written) continue;
    const std::string path = decoder.absolute(*written, draft.service.working_dir);
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
