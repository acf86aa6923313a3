// Reading typed values out of nodes, and saying what is wrong with those that do not fit.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/document/document.hpp"
#include "config/document/interpolate.hpp"
#include "config/keys/key.hpp"
#include "config/keys/not_yet.hpp"
#include "config/model/duration.hpp"

namespace belfry::config {

class Decoder;

// A key and how its value is read into a T.
template <class T>
struct Field {
  Key key;
  void (*read)(Decoder& decoder, const Entry& entry, T& out);
};

template <class T>
using Fields = std::span<const Field<T>>;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// `${db.PORT}`, where it was written.
struct WrittenReference {
  std::string service;
  std::string key;
  Span where;
};

// What people write who know another tool, and what that is here; empty if nothing is known.
struct ForeignWords {
  std::string_view (*key_help)(std::string_view key) = nullptr;
  // Of a value where one of `known` may stand.
  std::string_view (*value_help)(std::string_view value, std::span<const std::string_view> known) = nullptr;
};

// Reads values by the descriptions of their keys, and reports what does not fit.
// Owner: load(), on its stack. Lifecycle: one load. Readers return nothing after they have reported; callers
// then keep the default.
class Decoder {
 public:
  Decoder(Document& document, Diagnostics& diagnostics, Lookup lookup, std::string directory)
      : document_(document),
        diagnostics_(diagnostics),
        environment_(std::move(lookup)),
        directory_(std::move(directory)) {}

  // A scalar as text, its variables replaced.
  std::optional<std::string> text(const Node& node);
  // The same for what may be any text: warns where other YAML readers would not take it for text.
  std::optional<std::string> free_text(const Node& node);
  // The same for what must not be empty, as an unset variable makes it; `help` says what an empty one means.
  std::optional<std::string> needed_text(const Node& node, std::string_view help = {});
  void warn_of_trap(const Node& node, std::string_view value);
  std::optional<bool> boolean(const Node& node);
  std::optional<std::int64_t> integer(const Node& node, std::int64_t low, std::int64_t high);
  std::optional<double> number(const Node& node, double low, double high);
  std::optional<Duration> duration(const Node& node);
  std::optional<std::uint64_t> size(const Node& node);
  std::optional<std::uint16_t> port(const Node& node);
  std::optional<std::uint32_t> octal(const Node& node, std::uint32_t most);
  std::optional<int> signal(const Node& node);
  // One text or a list of them.
  std::vector<std::string> texts(const Node& node);
  // A list is argv, a text is split into words.
  std::vector<std::string> command(const Node& node);
  // A mapping, or a list of `KEY=VALUE`. A key without value takes it from belfry's environment.
  Pairs pairs(const Node& node, std::string_view what);
  template <class E>
  std::optional<E> choice(const Node& node, std::span<const std::pair<std::string_view, E>> known) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : known) names.push_back(name);
    const auto index = choose(node, names);
    return index ? std::optional(known[*index].second) : std::nullopt;
  }

  // The enumerator whose name is written; `names` has the order of the enumeration.
  template <class E>
  std::optional<E> choice(const Node& node, std::span<const std::string_view> names) {
    const auto index = choose(node, names);
    return index ? std::optional(static_cast<E>(*index)) : std::nullopt;
  }

  // Reads every entry of a mapping by `fields`; unknown keys, and keys that do not fit `fit`, are
  // errors. `what` names the mapping in messages ("a service"); a literal.
  template <class T>
  bool mapping(const Node& node, std::string_view what, Fields<T> fields, T& out, Fits fit = fits_all) {
    if (!expect_mapping(node, what)) return false;
    for (const Entry& entry : node.entries()) {
      const std::string_view name = entry.key->text();
      const Field<T>* found = nullptr;
      for (const Field<T>& field : fields)
        if (field.key.name == name) {
          found = &field;
          break;
        }
      if (found == nullptr) {
        std::vector<std::string_view> names;
        for (const Field<T>& field : fields)
          if ((field.key.fits & fit) != 0) names.push_back(field.key.name);
        unknown_key(*entry.key, what, names);
      } else if ((found->key.fits & fit) == 0) {
        unfit_key(*entry.key, fit, found->key.fits);
      } else if (present(entry, found->key)) {
        if (!found->key.works()) note_not_yet(entry, found->key, what);
        const std::size_t noted = not_yet_.size();
        const bool might_refer = std::exchange(may_refer_, found->key.may_refer);
        found->read(*this, entry, out);
        may_refer_ = might_refer;
        // Of a key that is refused, what stands inside need not be refused as well.
        if (!found->key.works()) not_yet_.resize(noted);
      }
    }
    return true;
  }

  // What was written and does not work yet, in the order of reading; a caller that knows for whom says so.
  [[nodiscard]] std::vector<NotYet>& not_yet() { return not_yet_; }

  // References that were read since this was asked last.
  [[nodiscard]] std::vector<WrittenReference> take_references() { return std::exchange(references_, {}); }
  // Whether somebody is a service of this file, once that is known.
  void know_services_by(std::function<bool(std::string_view)> is_service) {
    is_service_ = std::move(is_service);
  }

  bool expect_mapping(const Node& node, std::string_view what);
  // Whether an entry has a value to be read. A key without one is an error, because it was
  // meant to say something; except where nothing at all is a value too (Key::may_be_empty: `environment:`
  // with all of its lines commented out).
  bool present(const Entry& entry, const Key& key);
  void mismatch(const Node& node, std::string_view wanted, std::string help = {});
  // Whether the last text of `node` came out of variables.
  [[nodiscard]] bool from_variables(const Node& node) const { return replaced_.node == &node; }
  // Whether merging and repetition have made more values than the limits allow; says so once, at `at`.
  bool overgrown(const Node& at);
  void malformed(const Node& node, const Malformed& why);
  // `path` as seen from `base`, without `.` and `..` in it; `base` empty: from the file's directory.
  [[nodiscard]] std::string absolute(std::string_view path, std::string_view base = {}) const;

  // A variable that hides the environment: `REPLICA`, `PORT_web`.
  void define(std::string name, std::string value) { variables_[std::move(name)] = std::move(value); }
  // Where variables are looked for that neither `define` nor the environment has.
  void fall_back_to(Lookup lookup) { fallback_ = std::move(lookup); }
  // Where variables are looked for before all else; returns who was asked before. Empty: nobody.
  Lookup ask_first(Lookup lookup) { return std::exchange(first_, std::move(lookup)); }
  // Asked for help where a key or a value is not known.
  void translate_by(ForeignWords words) { foreign_ = words; }
  void undefine(const std::string& name) { variables_.erase(name); }
  [[nodiscard]] std::optional<std::string> variable(std::string_view name) const;
  // Counts `bytes` of variables' values that will be held; false, and said once, when they are too many.
  bool hold(std::size_t bytes, Span at);
  // The variable for `node`, which will hold it.
  std::optional<std::string> variable(std::string_view name, const Node& node);

  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }
  [[nodiscard]] Document& document() { return document_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  // A message shows what is written: what came out of variables may be a secret.
  void error(std::string_view rule, const Node& node, std::string message, std::string help = {});
  // The same, of `length` bytes of its text from `offset` on; of the whole where variables made it.
  void error_inside(std::string_view rule, const Node& node, std::size_t offset, std::size_t length,
                    std::string message, std::string help = {});
  void remark(std::string_view rule, const Node& node, std::string message, std::string help = {}) {
    diagnostics_.remark(rule, node.span(), std::move(message), std::move(help));
  }
  void warning(std::string_view rule, const Node& node, std::string message, std::string help = {}) {
    diagnostics_.warning(rule, node.span(), std::move(message), std::move(help));
  }

 private:
  // The last text that variables changed.
  struct Replaced {
    const Node* node = nullptr;
    std::string value;
  };
  [[nodiscard]] OutputLookup outputs_in(const Node& node);
  void note_not_yet(const Entry& entry, const Key& key, std::string_view what);
  [[nodiscard]] std::string as_written(std::string_view text) const;
  bool octal_refused(const Node& node, std::string_view value);
  std::optional<std::size_t> choose(const Node& node, std::span<const std::string_view> known);
  void unknown_key(const Node& key, std::string_view what, std::span<const std::string_view> known);
  void unfit_key(const Node& key, Fits fit, Fits fits);
  void pair_from_text(const Node& item, std::string_view what, std::unordered_set<std::string>& seen,
                      Pairs& out);
  void warn_of_shell(const Node& node, std::string_view line, std::size_t offset, std::string_view token);
  Span span_inside(const Node& node, std::size_t offset, std::size_t length) const;

  Document& document_;
  Diagnostics& diagnostics_;
  Lookup environment_;
  Lookup first_;
  Lookup fallback_;
  std::string directory_;
  std::unordered_map<std::string, std::string> variables_;
  Replaced replaced_;
  ForeignWords foreign_;
  std::vector<NotYet> not_yet_;
  bool may_refer_ = false;  // what is read now may use outputs
  std::vector<WrittenReference> references_;
  std::function<bool(std::string_view)> is_service_;
  static constexpr std::size_t most_held = 64U << 20U;
  std::size_t held_ = 0;
  bool said_overgrown_ = false;
};

}  // namespace belfry::config
