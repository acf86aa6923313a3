// Members of an object that somebody else has written: what is missing, or is of another type, is empty.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace belfry::client {

// Nothing: the text is no object.
inline std::optional<boost::json::object> object_in(std::string_view text) {
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

inline const boost::json::value* member(const boost::json::object& object, std::string_view name) {
  return object.if_contains(boost::json::string_view(name.data(), name.size()));
}

inline std::string text_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = member(object, name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().begin(), value->get_string().end()};
}

inline std::optional<std::int64_t> number_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = member(object, name);
  return value != nullptr && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

inline bool flag_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = member(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

inline const boost::json::array* list_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = member(object, name);
  return value == nullptr ? nullptr : value->if_array();
}

}  // namespace belfry::client
