#include "daemon/http/api/answer_form.hpp"

#include <string>

#include "daemon/http/wire/request_target.hpp"

namespace belfry::daemon::http {

std::optional<bool> wants_text(const Request& request, std::string_view query) {
  bool text = request.accept.find(text_plain.substr(0, text_plain.find(';'))) != std::string::npos;
  QueryReader reader(query);
  Parameter parameter;
  while (reader.next(parameter)) {
    if (parameter.name != "format") continue;
    if (parameter.value != "text" && parameter.value != "json") return std::nullopt;
    text = parameter.value == "text";
  }
  return reader.malformed() ? std::nullopt : std::optional(text);
}

}  // namespace belfry::daemon::http
