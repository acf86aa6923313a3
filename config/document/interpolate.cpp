#include "config/document/interpolate.hpp"

namespace belfry::config {
namespace {

bool name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool name_part(char c) { return name_start(c) || (c >= '0' && c <= '9'); }
bool service_part(char c) { return name_part(c) || c == '-' || c == '.'; }

class Interpolator {
 public:
  Interpolator(std::string_view text, const Lookup& lookup, std::vector<VariableFault>& faults,
               const OutputLookup& outputs)
      : text_(text), lookup_(lookup), faults_(faults), outputs_(outputs) {}

  std::string run() {
    std::string out;
    read(out, false, 0, true);
    return out;
  }

 private:
  using Kind = VariableFault::Kind;
  static constexpr int deepest = 16;
  static constexpr std::size_t longest = 1U << 20U;

  // Copies up to the end, or up to the `}` that closes a word. A word that is not wanted is only
  // skipped: what is wrong in it does not matter, except that it must end.
  void read(std::string& out, bool in_braces, int depth, bool wanted) {
    while (at_ < text_.size() && !(in_braces && text_[at_] == '}')) {
      if (text_[at_] != '$' || at_ + 1 == text_.size())
        out += text_[at_++];
      else
        dollar(out, depth, wanted);
      if (out.size() > longest) return too_long();
    }
  }

  void dollar(std::string& out, int depth, bool wanted) {
    const char next = text_[at_ + 1];
    if (next == '$') {
      out += '$';
      at_ += 2;
    } else if (next == '{') {
      if (!output(out, wanted)) braces(out, depth, wanted);
    } else if (name_start(next)) {
      const std::size_t start = at_++;
      const std::string_view name = take_name();
      if (wanted) plain(out, name, start, at_ - start);
    } else {
      out += '$';
      ++at_;
    }
  }

  std::string_view take_name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && name_part(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  void plain(std::string& out, std::string_view name, std::size_t start, std::size_t length) {
    if (auto value = lookup_(name))
      out += *value;
    else
      fault(Kind::unset, start, length, false,
            "the variable `" + std::string(name) + "` is not set; nothing is put in its place",
            "write ${" + std::string(name) + ":-DEFAULT} for a default, or $$ for one `$`");
  }

  // `${SERVICE.KEY}`. A `-` before the first dot begins a default (`${HOST-db.internal}`), unless it stands
  // in the name of a service. False: it is a variable, and nothing was read.
  bool output(std::string& out, bool wanted) {
    const std::size_t start = at_;
    const std::size_t first = start + 2;
    std::size_t end = first;
    while (end < text_.size() && service_part(text_[end])) ++end;
    const std::string_view written = text_.substr(first, end - first);
    const std::size_t dot = written.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view service = written.substr(0, dot), key = written.substr(dot + 1);
    const bool known = outputs_.is_service && outputs_.is_service(service);
    if (!known && written.find('-') < written.find('.')) return false;
    const char next = end < text_.size() ? text_[end] : '\0';
    at_ = std::min(end + 1, text_.size());
    if (next != '}' || !is_variable_name(key)) {
      give_up_output(start, next, service, key);
    } else if (wanted && outputs_.refer) {
      out += outputs_.refer(service, key, start, at_ - start);
    } else if (wanted) {
      fault(Kind::malformed, start, at_ - start, true, "an output of a service cannot be used here",
            "outputs are known when a service starts: use them in its command, environment, probes, `listen` "
            "and hooks; write $${ for the text `${`");
    }
    return true;
  }

  void give_up_output(std::size_t start, char next, std::string_view service, std::string_view key) {
    if (next == '\0')
      return give_up(start, "`${` is never closed", "add `}`, or write $${ for the text `${`");
    if (std::string_view(":-?+").contains(next) || key.contains('-') || service.contains('-'))
      return give_up(start, "an output of a service has no default",
                     "write ${SERVICE.KEY}: it is there when this service starts, or this service does not "
                     "start");
    give_up(start, "this is no output of a service",
            "write ${SERVICE.KEY}, the key in letters, digits and `_`; or $${ for the text `${`");
  }

  void braces(std::string& out, int depth, bool wanted) {
    const std::size_t start = at_;
    at_ += 2;
    const std::string_view name = take_name();
    if (depth >= deepest)
      return give_up(start, "variables are nested deeper than 16 levels", "use fewer defaults of defaults");
    if (name.empty() || !name_start(name.front()))
      return give_up(start, "`${` needs the name of a variable", "write $${ for the text `${`");
    const bool colon = at_ < text_.size() && text_[at_] == ':';
    if (colon) ++at_;
    const char operation = at_ < text_.size() ? text_[at_] : '\0';
    if (operation == '}' && !colon) {
      ++at_;
      if (wanted) plain(out, name, start, at_ - start);
      return;
    }
    if (operation == '\0')
      return give_up(start, "`${` is never closed", "add `}`, or write $${ for the text `${`");
    if (!std::string_view("-?+").contains(operation))
      return give_up(start, "`${" + std::string(name) + "` is followed by something unknown",
                     "write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+replacement}");
    ++at_;
    word(out, name, operation, colon, start, depth, wanted);
  }

  void word(std::string& out, std::string_view name, char operation, bool colon, std::size_t start, int depth,
            bool wanted) {
    std::optional<std::string> value = wanted ? lookup_(name) : std::nullopt;
    const bool present = value && !(colon && value->empty());
    std::string text;
    read(text, true, depth + 1, wanted && present == (operation == '+'));
    if (at_ >= text_.size())
      return give_up(start, "`${` is never closed", "add `}`, or write $${ for the text `${`");
    ++at_;
    if (!wanted) return;
    if (operation == '+') {
      if (present) out += text;
    } else if (present) {
      out += *value;
    } else if (operation == '-') {
      out += text;
    } else {
      fault(
          Kind::needed, start, at_ - start, true,
          "the variable `" + std::string(name) + "` is needed" + (text.empty() ? "" : ": " + text),
          "set it in belfry's environment (" + std::string(name) + "=… belfry …) or in .env beside the file");
    }
  }

  void fault(Kind kind, std::size_t offset, std::size_t length, bool error, std::string message,
             std::string help) {
    if (faults_.size() < 100 && !given_up_)
      faults_.push_back({offset, length, error, std::move(message), std::move(help), kind});
  }

  void give_up(std::size_t start, std::string message, std::string help) {
    fault(Kind::malformed, start, std::min(text_.size(), at_) - start, true, std::move(message),
          std::move(help));
    given_up_ = true;
    at_ = text_.size();
  }

  void too_long() {
    fault(Kind::too_long, 0, 1, true, "this text is longer than 1 MiB once its variables are replaced",
          "put it into a file");
    at_ = text_.size();
  }

  std::string_view text_;
  const Lookup& lookup_;
  std::vector<VariableFault>& faults_;
  const OutputLookup& outputs_;
  std::size_t at_ = 0;
  bool given_up_ = false;  // the rest was not read: what is missing there is not the fault
};

}  // namespace

std::string interpolate(std::string_view text, const Lookup& lookup, std::vector<VariableFault>& faults,
                        const OutputLookup& outputs) {
  return Interpolator(text, lookup, faults, outputs).run();
}

bool is_variable_name(std::string_view name) {
  if (name.empty() || !name_start(name.front())) return false;
  for (const char c : name)
    if (!name_part(c)) return false;
  return true;
}

}  // namespace belfry::config
