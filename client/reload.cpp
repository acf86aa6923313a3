#include "client/reload.hpp"

#include "client/json.hpp"
#include "client/json_members.hpp"

namespace belfry::client {
namespace {

std::vector<ReloadKey> keys_of(const boost::json::object& object, std::string_view name) {
  std::vector<ReloadKey> keys;
  const boost::json::array* list = list_of(object, name);
  if (list == nullptr) return keys;
  for (const boost::json::value& one : *list) {
    if (!one.is_object()) continue;
    const boost::json::object& key = one.get_object();
    keys.push_back({.key = text_of(key, "key"),
                    .before = text_of(key, "before"),
                    .after = text_of(key, "after"),
                    .effect = text_of(key, "effect")});
  }
  return keys;
}

}  // namespace

std::optional<ReloadReply> read_reload(std::string_view body) {
  const auto object = object_in(body);
  if (!object || member(*object, "message") == nullptr) return std::nullopt;
  ReloadReply reply;
  reply.message = text_of(*object, "message");
  reply.dry_run = flag_of(*object, "dry_run");
  reply.stack = keys_of(*object, "stack");
  if (const boost::json::array* services = list_of(*object, "services"); services != nullptr) {
    for (const boost::json::value& one : *services) {
      if (!one.is_object()) continue;
      const boost::json::object& service = one.get_object();
      reply.services.push_back({.name = text_of(service, "name"),
                                .change = text_of(service, "change"),
                                .keys = keys_of(service, "keys")});
    }
  }
  reply.stops = list_member(body, "stops");
  reply.starts = list_member(body, "starts");
  reply.rolls = list_member(body, "rolls");
  return reply;
}

}  // namespace belfry::client
