// What comes from outside, made fit for a terminal or for JSON. Everything that prints calls these and has no
// escaping of its own.
//
// Outside is whatever belfry did not write itself: names and paths, what a service or a probe says, log
// lines, answers of a daemon. A terminal obeys some of it: C0 and C1 controls, and with them every escape
// sequence (CSI, OSC, DCS), change titles, colours and the clipboard; bidirectional controls show a line in
// another order than it is stored (CVE-2021-42574); U+2028 and U+2029 end a line for some readers. Bytes that
// are not UTF-8 mean C1 controls to a terminal in an 8-bit mode.
//
// Every function looks at one character at a time and keeps no state, so a text may be handed over in pieces
// that end between characters: a line of a log, a field of a table. What is plain is copied in one piece.
#pragma once

#include <string>
#include <string_view>

namespace belfry::text {

// Whether a terminal would obey `code` rather than show it. The tab counts as shown, the end of a line does
// not: the caller knows where its lines end.
[[nodiscard]] bool is_obeyed(char32_t code);

// `text` for a terminal or a log that people read: what is obeyed, and each byte that is not UTF-8, becomes
// one U+FFFD, so that columns can still be counted in characters. Append to `out`, or return.
void append_visible(std::string& out, std::string_view text);
[[nodiscard]] std::string visible(std::string_view text);

// `text` as a JSON string with its quotes (RFC 8259, section 7). What is obeyed is escaped and means the same
// to the reader; bytes that are not UTF-8 become U+FFFD. YAML reads it as the same text.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

// A whole JSON document that somebody else wrote, for a terminal: it means the same, and its line ends stay.
[[nodiscard]] std::string visible_json(std::string_view document);

}  // namespace belfry::text
