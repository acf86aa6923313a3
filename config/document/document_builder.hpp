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
  Node const* run();
  [[nodiscard]] std::size_t nodes() const { return nodes_; }

 private:
  struct Abort {};
  struct Frame {
    Node* node;
    std::size_t first;  // where its children begin in pending_
  };

  void OnDocumentStart(YAML::Mark const& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override;
  void OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) override;
  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                std::string const& value) override;
  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

  Node* add(Node::Kind kind, YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor);
  void open(Node* node);
  void close();
  void close_sequence(Node& node, std::size_t first);
  void close_mapping(Node& node, std::size_t first);
  void keep_entries(Node& node);
  void refuse_duplicates();
  void merge_into(Node const& source, Node const& key);
  void check_growth(Node const& node);
  bool expects_key() const;
  void check_tag(std::string const& tag, Span where);
  Span where(YAML::Mark const& mark) const;
  Span token_at(YAML::Mark const& mark) const;
  [[noreturn]] void refuse(std::string_view rule, Span at, std::string message, std::string help);
  [[noreturn]] void refuse_key(Node::Kind kind, Span at);
  enum class Reading : std::uint8_t { done, again };
  Reading read(std::string& fed);
  bool blank_alias(std::string const& message, YAML::Mark const& mark, std::string& fed);
  void start_again();
  void report_syntax(std::string const& message, YAML::Mark const& mark);
  void report_exhaustion();

  Document& document_;
  Diagnostics& diagnostics_;
  Source const& source_;
  std::uint32_t file_;
  std::size_t nodes_ = 0;
  std::uint64_t merged_ = 0;
  MeteredText* fed_ = nullptr;  // what is being read
  std::uint32_t documents_ = 0;
  Node const* root_ = nullptr;
  std::vector<Frame> frames_;
  std::vector<Node const*> pending_;
  std::vector<Entry> entries_;                 // scratch of close_mapping
  std::unordered_set<std::string_view> seen_;  // scratch of refuse_duplicates
  std::unordered_map<YAML::anchor_t, Node const*> anchors_;
  std::set<std::pair<int, int>> blanked_;  // lines and columns of aliases that name nothing
};

}  // namespace belfry::config
