// From yaml-cpp's events to nodes. Used by document.cpp only; the one place that knows yaml-cpp.
#pragma once

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/document/document.hpp"
#include "config/document/metered_text.hpp"

namespace belfry::config {

// Owner: Document::parse, on its stack.
// Lifecycle: one text; `run` is called once.
// Cancellation: none; bounded by DocumentLimits. `Abort` is thrown through yaml-cpp's frames to leave
// a text that has gone beyond them, and caught in `run`.
class DocumentBuilder final : YAML::EventHandler {
 public:
  DocumentBuilder(Document& document, Diagnostics& diagnostics, std::uint32_t file);
  const Node* run();
  [[nodiscard]] std::size_t nodes() const { return nodes_; }

 private:
  struct Abort {};
  struct Frame {
    Node* node;
    std::size_t first;  // where its children begin in pending_
  };

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

  Node* add(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void open(Node* node);
  void close();
  void close_sequence(Node& node, std::size_t first);
  void close_mapping(Node& node, std::size_t first);
  void keep_entries(Node& node);
  void refuse_duplicates();
  void merge_into(const Node& source, const Node& key);
  void check_growth(const Node& node);
  bool expects_key() const;
  void check_tag(const std::string& tag, Span where);
  Span where(const YAML::Mark& mark) const;
  Span token_at(const YAML::Mark& mark) const;
  [[noreturn]] void refuse(std::string_view rule, Span at, std::string message, std::string help);
  [[noreturn]] void refuse_key(Node::Kind kind, Span at);
  enum class Reading : std::uint8_t { done, again };
  Reading read(std::string& fed);
  bool blank_alias(const std::string& message, const YAML::Mark& mark, std::string& fed);
  void start_again();
  void report_syntax(const std::string& message, const YAML::Mark& mark);
  void report_exhaustion();

  Document& document_;
  Diagnostics& diagnostics_;
  const Source& source_;
  std::uint32_t file_;
  std::size_t nodes_ = 0;
  std::uint64_t merged_ = 0;
  MeteredText* fed_ = nullptr;  // what is being read
  std::uint32_t documents_ = 0;
  const Node* root_ = nullptr;
  std::vector<Frame> frames_;
  std::vector<const Node*> pending_;
  std::vector<Entry> entries_;                 // scratch of close_mapping
  std::unordered_set<std::string_view> seen_;  // scratch of refuse_duplicates
  std::unordered_map<YAML::anchor_t, const Node*> anchors_;
  std::set<std::pair<int, int>> blanked_;  // lines and columns of aliases that name nothing
};

}  // namespace belfry::config
