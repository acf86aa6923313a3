// Writes JSON straight into a string: the answers are lists of flat objects, so a document in memory
// would be built only to be thrown away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/escape.hpp"

namespace belfry::daemon::http {

using text::append_json_string;

// The caller keeps begin and end in balance; commas are the writer's.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  JsonWriter& key(std::string_view name);

  void string(std::string_view text);
  void number(std::int64_t value);
  void boolean(bool value);
  void null();
  // A text that is absent when empty, as null.
  void string_or_null(std::string_view text);

 private:
  void separate();
  void open(char bracket);
  void close(char bracket);

  std::string& out_;
  bool comma_ = false;  // the next member or element follows another one
};

}  // namespace belfry::daemon::http
