#include "config/document/document_builder.hpp"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/node/node.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <new>

#include "config/document/syntax_help.hpp"
#include "text/utf8.hpp"

namespace belfry::config {
namespace {

// A comment that is appended to the text. yaml-cpp does not report a quote that is never closed; but such a
// quote swallows this comment, and so it is found.
constexpr std::string_view sentinel =
    "\n#\x7f"
    "end\n";
constexpr std::string_view sentinel_mark =
    "\x7f"
    "end";

// The text from a place to its end.
std::string_view text_from(const Source& source, Span at) {
  const std::string_view line = source.line(at.line);
  if (at.column == 0 || at.column > line.size()) return {};
  return source.text().substr(static_cast<std::size_t>(line.data() - source.text().data()) + at.column - 1);
}

// Whether the bracket at the start of `text` has its partner; quotes are skipped.
bool closes(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return true;
    if (c == '"' || c == '\'') i = std::min(text.find(c, i + 1), text.size());
  }
  return false;
}

// yaml-cpp turns the escapes \N and \_ into single bytes that are not UTF-8.
std::string with_whole_characters(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const text::Character one = text::first_character(value);
    text::append_character(out, one.code);  // of a stray byte this is the byte's own value
    value.remove_prefix(one.length);
  }
  return out;
}

bool string_tag(std::string_view tag) { return tag == "!" || tag == "tag:yaml.org,2002:str"; }

}  // namespace

DocumentBuilder::DocumentBuilder(Document& document, Diagnostics& diagnostics, std::uint32_t file)
    : document_(document), diagnostics_(diagnostics), source_(diagnostics.sources()[file]), file_(file) {}

const Node* DocumentBuilder::run() {
  std::string fed;
  fed.reserve(source_.text().size() + sentinel.size());
  fed.append(source_.text()).append(sentinel);
  while (read(fed) == Reading::again) start_again();
  return root_;
}

// After a key that is there twice there is a root: the rest of the file can still be judged.
DocumentBuilder::Reading DocumentBuilder::read(std::string& fed) {
  MeteredText text(fed, document_.limits().marks_in_a_value);
  fed_ = &text;
  std::istream stream(&text);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(*this)) {
    }
    if (!text.is_exhausted()) return Reading::done;
    report_exhaustion();
  } catch (const Abort&) {
  } catch (const YAML::Exception& problem) {
    if (text.is_exhausted()) {
      report_exhaustion();
    } else {
      report_syntax(problem.msg, problem.mark);
      if (blank_alias(problem.msg, problem.mark, fed)) return Reading::again;
    }
  }
  root_ = nullptr;
  return Reading::done;
}

// The parser stops at an alias that names nothing, which would hide whatever is wrong behind it. Puts a
// null of the same length in its place; each costs one more reading, so there are not many.
bool DocumentBuilder::blank_alias(const std::string& message, const YAML::Mark& mark, std::string& fed) {
  constexpr std::size_t most = 16, most_bytes = 32U << 20U;
  const std::string_view rest = text_from(source_, where(mark));
  if (!message.starts_with("the referenced anchor is not defined") || !rest.starts_with('*')) return false;
  if (blanked_.size() == most || (blanked_.size() + 1) * fed.size() > most_bytes) return false;
  const auto start = static_cast<std::size_t>(rest.data() - source_.text().data());
  const std::size_t length = std::min(rest.find_first_of(" \t\r\n,[]{}"), rest.size());
  fed.replace(start, length, "~" + std::string(length - 1, ' '));
  return blanked_.emplace(mark.line, mark.column).second;
}

// Reads the text from its beginning again. Its mistakes are found a second time; Diagnostics::finish drops
// the repetitions.
void DocumentBuilder::start_again() {
  nodes_ = 0;
  merged_ = 0;
  documents_ = 0;
  root_ = nullptr;
  frames_.clear();
  pending_.clear();
  anchors_.clear();
}

void DocumentBuilder::report_syntax(const std::string& message, const YAML::Mark& mark) {
  Span at = where(mark);
  at.line = std::min(at.line, source_.line_count());
  if (message.contains("flow not found") && !frames_.empty()) at = Span(frames_.back().node->place());
  const Explanation why = explain(message, source_, at.line);
  std::string text(why.message);
  if (text.empty()) text = "cannot read this as YAML: " + message;
  diagnostics_.error("syntax", at, std::move(text), std::string(why.help));
}

void DocumentBuilder::report_exhaustion() {
  const Span at = frames_.empty() ? Span{file_, 1, 1, 0} : Span(frames_.back().node->place());
  diagnostics_.error(
      "too-large", at,
      "cannot read a value with more than " + std::to_string(document_.limits().marks_in_a_value) +
          " brackets, commas and colons",
      "close what is open, write it in lines instead of brackets, or split it into several files");
}

void DocumentBuilder::refuse(std::string_view rule, Span at, std::string message, std::string help) {
  // The parser was given only a part of the text: a mistake at the cut is no mistake of the text.
  if (fed_->is_exhausted())
    report_exhaustion();
  else
    diagnostics_.error(rule, at, std::move(message), std::move(help));
  throw Abort{};
}

Span DocumentBuilder::where(const YAML::Mark& mark) const {
  return {file_, static_cast<std::uint32_t>(std::max(0, mark.line) + 1),
          static_cast<std::uint32_t>(std::max(0, mark.column) + 1), 0};
}

// yaml-cpp marks a node with an anchor or a tag at that property; the token itself comes behind it.
Span DocumentBuilder::token_at(const YAML::Mark& mark) const {
  Span at = where(mark);
  const std::string_view line = source_.line(at.line);
  std::size_t byte = at.column - 1;
  while (byte < line.size() && (line[byte] == '&' || line[byte] == '!')) {
    const std::size_t end = line.find_first_of(" \t", byte);
    const std::size_t next = end == std::string_view::npos ? end : line.find_first_not_of(" \t", end);
    if (next == std::string_view::npos || line[next] == '#') break;
    byte = next;
  }
  at.column = static_cast<std::uint32_t>(byte + 1);
  return at;
}

bool DocumentBuilder::expects_key() const {
  return !frames_.empty() && frames_.back().node->kind == Node::Kind::mapping &&
         (pending_.size() - frames_.back().first) % 2 == 0;
}

void DocumentBuilder::check_tag(const std::string& tag, Span at) {
  if (tag.empty() || tag == "?" || string_tag(tag)) return;
  constexpr std::string_view standard = "tag:yaml.org,2002:";
  const std::string shown = tag.starts_with(standard) ? "!!" + tag.substr(standard.size()) : tag;
  if (document_.limits().foreign_tags)
    return diagnostics_.warning("not-carried", at, "the tag `" + shown + "` is not carried over",
                                "look what it was for");
  diagnostics_.error("unknown-tag", at, "cannot use the tag `" + shown + "`",
                     "remove it; only !!str is known");
}

// yaml-cpp takes an opening bracket that is never closed for the beginning of a key.
void DocumentBuilder::refuse_key(Node::Kind kind, Span at) {
  const std::string_view rest = text_from(source_, at);
  if (!rest.empty() && (rest.front() == '[' || rest.front() == '{') && !closes(rest))
    refuse("syntax", at, "`" + std::string(1, rest.front()) + "` is never closed",
           rest.front() == '[' ? "add `]`, or quote what contains `[`, `]` or `,`"
                               : "add `}`, or quote what contains `{`, `}` or `,`");
  const std::string_view found = kind == Node::Kind::mapping    ? "a mapping"
                                 : kind == Node::Kind::sequence ? "a list"
                                                                : "nothing";
  refuse("bad-key", at, "the key of a mapping must be text, not " + std::string(found),
         "quote it if it is text");
}

Node* DocumentBuilder::add(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
                           YAML::anchor_t anchor) {
  const bool has_property = anchor != YAML::NullAnchor || (!tag.empty() && tag != "?" && tag != "!");
  const Span at = has_property ? token_at(mark) : where(mark);
  const DocumentLimits& limits = document_.limits();
  fed_->understood();
  if (++nodes_ > limits.nodes)
    refuse("too-large", at, "the file has more than " + std::to_string(limits.nodes) + " values",
           "split it into several files and pass each with -c");
  if (frames_.size() >= limits.depth)
    refuse("too-deep", at, "nested deeper than " + std::to_string(limits.depth) + " levels",
           "no key of belfry needs more than 8 levels");
  check_tag(tag, at);
  if (expects_key() && kind != Node::Kind::scalar) refuse_key(kind, at);
  Node* const node = new (document_.memory().allocate(sizeof(Node), alignof(Node))) Node();
  node->kind = kind;
  node->file = static_cast<std::uint16_t>(file_);
  node->line = at.line;
  node->column = at.column;
  if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
  if (frames_.empty())
    root_ = node;
  else
    pending_.push_back(node);
  return node;
}

void DocumentBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ > 1)
    refuse("second-document", where(mark), "a second document begins here",
           "one file is one stack: remove the `---`, or pass the second file with another -c");
}

void DocumentBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const bool value = !frames_.empty() && frames_.back().node->kind == Node::Kind::mapping && !expects_key();
  const Node* const key = value ? pending_.back() : nullptr;
  Node* const node = add(Node::Kind::null, mark, "", anchor);
  if (blanked_.contains({mark.line, mark.column})) node->kind = Node::Kind::unresolved;
  if (key == nullptr || node->is_unresolved()) return;
  // The parser only notices that a value is missing at the next token, which may be lines below.
  node->line = key->line;
  node->column = key->column;
}

void DocumentBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const Node* const target = anchors_[anchor];
  const bool contains_itself = target == nullptr || std::ranges::any_of(frames_, [&](const Frame& frame) {
                                 return frame.node == target;
                               });
  if (contains_itself)
    refuse("alias-cycle", where(mark), "this alias stands inside the value it refers to",
           "move the anchor to a value beside it");
  Node* const node = add(target->kind, mark, "", YAML::NullAnchor);
  const Node own = *node;
  *node = *target;
  node->file = own.file;
  node->line = own.line;
  node->column = own.column;
  check_growth(*node);
}

void DocumentBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                               const std::string& value) {
  if (value.find(sentinel_mark) != std::string::npos)
    refuse("unclosed-quote", where(mark), "this quote is never closed", "add the closing quote");
  Node* const node = add(Node::Kind::scalar, mark, tag, anchor);
  if (value.contains('\0'))
    diagnostics_.error("bad-text", node->span(), "a NUL character in a text",
                       "no argument, variable or path can contain one: remove it");
  std::string repaired;
  std::string_view kept = value;
  if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    kept = repaired = with_whole_characters(value);
  auto* const text = static_cast<char*>(document_.memory().allocate(kept.size() + 1, 1));
  std::ranges::copy(kept, text);
  node->quoted = string_tag(tag);
  node->size = static_cast<std::uint32_t>(kept.size());
  node->cost = cost_of(kept);
  node->data = text;
}

void DocumentBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                      YAML::EmitterStyle::value) {
  open(add(Node::Kind::sequence, mark, tag, anchor));
}

void DocumentBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                 YAML::EmitterStyle::value) {
  open(add(Node::Kind::mapping, mark, tag, anchor));
}

void DocumentBuilder::open(Node* node) { frames_.push_back({node, pending_.size()}); }

void DocumentBuilder::close() {
  const Frame frame = frames_.back();
  if (frame.node->kind == Node::Kind::sequence)
    close_sequence(*frame.node, frame.first);
  else
    close_mapping(*frame.node, frame.first);
  pending_.resize(frame.first);
  frames_.pop_back();
  check_growth(*frame.node);
}

void DocumentBuilder::close_sequence(Node& node, std::size_t first) {
  const std::span<const Node* const> items(pending_.begin() + static_cast<std::ptrdiff_t>(first),
                                           pending_.end());
  auto* const kept = static_cast<const Node**>(document_.memory().allocate(
      std::max<std::size_t>(1, items.size()) * sizeof(const Node*), alignof(const Node*)));
  std::ranges::copy(items, kept);
  for (const Node* item : items) node.cost += item->cost;
  node.size = static_cast<std::uint32_t>(items.size());
  node.data = static_cast<const void*>(kept);
}

void DocumentBuilder::close_mapping(Node& node, std::size_t first) {
  entries_.clear();
  std::vector<Entry> merges;
  for (std::size_t i = first; i + 1 < pending_.size(); i += 2) {
    const Entry entry{pending_[i], pending_[i + 1]};
    const bool merge = !entry.key->quoted && entry.key->text() == "<<";
    (merge ? merges : entries_).push_back(entry);
  }
  refuse_duplicates();
  for (const Entry& merge : merges) merge_into(*merge.value, *merge.key);
  keep_entries(node);
}

void DocumentBuilder::keep_entries(Node& node) {
  auto* const kept = static_cast<Entry*>(
      document_.memory().allocate(std::max<std::size_t>(1, entries_.size()) * sizeof(Entry), alignof(Entry)));
  std::ranges::copy(entries_, kept);
  for (const Entry& entry : entries_) node.cost += entry.key->cost + entry.value->cost;
  node.size = static_cast<std::uint32_t>(entries_.size());
  node.data = kept;
}

void DocumentBuilder::refuse_duplicates() {
  const auto report = [&](const Node& again, const Node& first) {
    diagnostics_.add({Severity::error,
                      "duplicate-key",
                      again.span(),
                      "the key `" + std::string(again.text()) + "` is there twice",
                      "keep one of them",
                      {{first.span(), "first written here"}}});
  };
  if (entries_.size() <= 16) {
    for (std::size_t i = 1; i < entries_.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (entries_[i].key->text() == entries_[j].key->text()) {
          report(*entries_[i].key, *entries_[j].key);
          break;
        }
    return;
  }
  std::unordered_map<std::string_view, const Node*> seen;
  seen.reserve(entries_.size());
  for (const Entry& entry : entries_)
    if (const auto [first, fresh] = seen.emplace(entry.key->text(), entry.key); !fresh)
      report(*entry.key, *first->second);
}

// `<<: *a` and `<<: [*a, *b]`: a key that is there already wins (YAML merge key type, 2005).
void DocumentBuilder::merge_into(const Node& source, const Node& key) {
  if (source.is_unresolved()) return;
  if (source.is_sequence()) {
    for (const Node* item : source.items()) {
      if (!item->is_mapping() && !item->is_unresolved()) {
        diagnostics_.error("bad-merge", item->span(), "`<<` can merge mappings only",
                           "write `<<: [*first, *second]`");
        continue;
      }
      merge_into(*item, key);
    }
    return;
  }
  if (!source.is_mapping()) {
    diagnostics_.error("bad-merge", key.span(), "`<<` needs a mapping to merge", "write `<<: *anchor`");
    return;
  }
  seen_.clear();
  for (const Entry& entry : entries_) seen_.insert(entry.key->text());
  for (const Entry& entry : source.entries())
    if (seen_.insert(entry.key->text()).second) entries_.push_back(entry);
  merged_ += entries_.size();
  if (merged_ > document_.limits().free_growth + document_.limits().growth * nodes_)
    refuse("alias-bomb", key.span(), "merge keys make this file grow beyond its limits",
           "merge fewer and smaller mappings");
}

void DocumentBuilder::check_growth(const Node& node) {
  if (node.cost <= document_.limits().free_growth + document_.limits().growth * nodes_) return;
  refuse("alias-bomb", node.span(), "aliases make this file grow to " + std::to_string(node.cost) + " values",
         "use fewer aliases of aliases");
}

}  // namespace belfry::config
