// What is said of values that do not fit. A message shows what is written in the file and never what
// variables made of it, which may be a secret.
#include <algorithm>
#include <utility>

#include "config/keys/decoder.hpp"
#include "config/keys/text_traps.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

std::string_view article_of(Fits fit) {
  switch (fit) {
    case fits_oneshot: return "a oneshot";
    case fits_external: return "an external service";
    case fits_gate: return "a gate";
    default: return "a daemon";
  }
}

}  // namespace

void Decoder::unknown_key(const Node& key, std::string_view what, std::span<const std::string_view> known) {
  if (key.text().starts_with("x-")) return;
  // Comparing with every known key is for problems that are shown.
  if (diagnostics_.full()) return error("unknown-key", key, "unknown key");
  std::string help(foreign_.key_help == nullptr ? "" : foreign_.key_help(key.text()));
  if (help.empty()) help = text::did_you_mean(key.text(), known);
  if (help.empty()) help = "remove it, or begin it with `x-` to keep it as a note";
  error("unknown-key", key, "unknown key " + quote(key.text()) + " in " + std::string(what), std::move(help));
}

void Decoder::unfit_key(const Node& key, Fits fit, Fits fits) {
  std::string help = "it belongs to";
  for (const Fits one : {fits_daemon, fits_oneshot, fits_external, fits_gate})
    if ((fits & one) != 0) help.append(help.ends_with("to") ? " " : ", ").append(article_of(one));
  error("unfit-key", key, quote(key.text()) + " makes no sense for " + std::string(article_of(fit)),
        std::move(help));
}

bool Decoder::overgrown(const Node& at) {
  if (!document_.overgrown()) return false;
  if (!std::exchange(said_overgrown_, true))
    error("too-large", at, "defaults, `extends` and replicas make this file grow beyond its limits",
          "what they repeat is read once for every service: make it smaller, or use fewer services");
  return true;
}

void Decoder::mismatch(const Node& node, std::string_view wanted, std::string help) {
  if (node.is_unresolved()) return;
  if (help.empty() && wanted == "text")
    help = "write one value; quote it if it begins with `[`, `{`, `*`, `&` or `!`";
  if (help.empty() && wanted.contains("mapping"))
    help = "write its keys as `KEY: VALUE`, indented below it or in `{}`";
  if (help.empty()) help = "write " + std::string(wanted);
  error("wrong-type", node, "expected " + std::string(wanted) + ", found " + std::string(kind_name(node)),
        std::move(help));
}

// What is quoted in a message and is, or is part of, the value that variables made.
std::string Decoder::as_written(std::string_view text) const {
  const std::string_view value = replaced_.value;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = std::min(text.find('`', at), text.size());
    const std::size_t close = std::min(text.find('`', std::min(open + 1, text.size())), text.size());
    const std::string_view quoted = text.substr(open, close - open).substr(open < text.size() ? 1 : 0);
    out += text.substr(at, open - at);
    if (open == text.size()) break;
    const bool whole = quoted == value || (quoted.size() >= 60 && value.starts_with(quoted));
    const bool part = quoted.size() > 3 && value.contains(quoted);
    out += '`';
    out += whole ? replaced_.node->text().substr(0, 200) : part ? std::string_view("…") : quoted;
    out += '`';
    at = close + 1;
  }
  return out;
}

void Decoder::error(std::string_view rule, const Node& node, std::string message, std::string help) {
  if (from_variables(node)) {
    std::string shown = as_written(message);
    if (shown != message) {
      message = std::move(shown);
      help = "it is the value of the variable that is wrong" + (help.empty() ? "" : "; " + as_written(help));
    }
  }
  diagnostics_.error(rule, node.span(), std::move(message), std::move(help));
}

void Decoder::error_inside(std::string_view rule, const Node& node, std::size_t offset, std::size_t length,
                           std::string message, std::string help) {
  if (from_variables(node) || length == 0) return error(rule, node, std::move(message), std::move(help));
  diagnostics_.error(rule, span_inside(node, offset, length), std::move(message), std::move(help));
}

// A help for a malformed text may hold parts of it.
void Decoder::malformed(const Node& node, const Malformed& why) {
  if (from_variables(node)) {
    const auto shares = [&](std::string_view text) {
      for (std::size_t i = 0; i + 3 <= replaced_.value.size(); ++i)
        if (text.contains(std::string_view(replaced_.value).substr(i, 3))) return true;
      return false;
    };
    const auto behind = why.message.find('`', 1);
    std::string rest = behind == std::string::npos ? " is malformed" : why.message.substr(behind + 1);
    if (const auto more = rest.find(" `"); more != std::string::npos) rest.resize(more);
    return diagnostics_.error(
        "bad-value", node.span(), quote(node.text()) + rest,
        "it is the value of the variable that is wrong" + (shares(why.help) ? "" : "; " + why.help));
  }
  error("bad-value", node, why.message, why.help);
}

}  // namespace belfry::config
