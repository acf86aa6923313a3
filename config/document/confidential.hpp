// What must not be shown: passwords in URLs and connection strings, tokens, the values of environments.
//
// A file holds such things in plain sight, and a message about the file, a log or /v1 reaches people who may
// not read it. So whatever quotes a part of a file, a URL or a connection string goes through here.
#pragma once

#include <string>
#include <string_view>

namespace belfry::config {

class Source;

// `text` with `***` for the user and password of URLs, for the values of keys whose names speak of a
// password, token, secret or key (`password=…`, `"api_key": …`), and for the credentials of an Authorization
// header. A reference to a variable stays: it is a name.
[[nodiscard]] std::string masked(std::string_view text);

// Line `number` of a belfry file as it may be shown: as long as it was, so that a caret below it still stands
// in its place, with asterisks for the same, and for every value below `environment:`.
[[nodiscard]] std::string line_to_show(const Source& source, std::uint32_t number);

// Whether lines of this text may be shown at all. What was named by mistake or on purpose and is no belfry
// file (/etc/shadow, a key) is not quoted to whoever asks a more privileged belfry to check it.
[[nodiscard]] bool looks_like_a_belfry_file(std::string_view text);

}  // namespace belfry::config
