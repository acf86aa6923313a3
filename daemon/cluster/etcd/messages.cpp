#include "daemon/cluster/etcd/messages.hpp"

#include <utility>

#include "daemon/cluster/etcd/protobuf.hpp"

namespace belfry::daemon::etcd {

namespace {

// --- requests
// -----------------------------------------------------------------------------------------------

// An empty prefix is every key: from "\0" on.
void put_prefix(std::string& to, std::string_view prefix) {
  put_bytes(to, 1, prefix.empty() ? std::string_view("\0", 1) : prefix);
  put_bytes(to, 2, end_of_prefix(prefix));
}

std::string compare_message(const Compare& compare) {
  std::string message;
  put_number(message, 1, static_cast<std::uint64_t>(compare.how));
  put_number(message, 2, static_cast<std::uint64_t>(compare.what));
  put_bytes(message, 3, compare.key);
  switch (compare.what) {
    case Compare::What::version: put_chosen(message, 4, compare.number); break;
    case Compare::What::create_revision: put_chosen(message, 5, compare.number); break;
    case Compare::What::mod_revision: put_chosen(message, 6, compare.number); break;
    case Compare::What::value: put_message(message, 7, compare.text); break;
    case Compare::What::lease: put_chosen(message, 8, compare.number); break;
  }
  if (compare.of_all) put_bytes(message, 64, end_of_prefix(compare.key));
  return message;
}

// The number of the field in RequestOp, and the request within.
std::pair<std::uint32_t, std::string> request_of(const Operation& operation) {
  std::string message;
  if (const auto* put = std::get_if<Put>(&operation)) {
    put_bytes(message, 1, put->key);
    put_bytes(message, 2, put->value);
    put_signed(message, 3, put->lease);
    return {2, std::move(message)};
  }
  if (const auto* gone = std::get_if<Delete>(&operation)) {
    put_bytes(message, 1, gone->key);
    return {3, std::move(message)};
  }
  put_bytes(message, 1, std::get<Get>(operation).key);
  return {1, std::move(message)};
}

void put_operations(std::string& to, std::uint32_t field, const std::vector<Operation>& operations) {
  for (const Operation& operation : operations) {
    const auto [number, request] = request_of(operation);
    std::string message;
    put_message(message, number, request);
    put_message(to, field, message);
  }
}

// --- responses
// ----------------------------------------------------------------------------------------------

bool read(std::string_view message, Header& into) {
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) into.cluster = fields.unsigned_value();
    if (fields.number() == 2) into.member = fields.unsigned_value();
    if (fields.number() == 3) into.revision = fields.signed_value();
  }
  return fields.whole();
}

bool read(std::string_view message, KeyValue& into) {
  Fields fields(message);
  while (fields.next()) {
    switch (fields.number()) {
      case 1: into.key = fields.bytes(); break;
      case 2: into.create_revision = fields.signed_value(); break;
      case 3: into.mod_revision = fields.signed_value(); break;
      case 4: into.version = fields.signed_value(); break;
      case 5: into.value = fields.bytes(); break;
      case 6: into.lease = fields.signed_value(); break;
      default: break;
    }
  }
  return fields.whole();
}

bool read(std::string_view message, Event& into) {
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) {
      const std::uint64_t type = fields.unsigned_value();
      if (type > static_cast<std::uint64_t>(Event::Type::deleted)) return false;
      into.type = static_cast<Event::Type>(type);
    }
    if (fields.number() == 2 && !read(fields.bytes(), into.key_value)) return false;
  }
  return fields.whole();
}

bool read(std::string_view message, TxnResult::Done& into);

template <class Element>
bool read_one_more(std::string_view message, std::vector<Element>& into) {
  return into.size() < most_elements && read(message, into.emplace_back());
}

// RangeResponse, on its own or within a transaction's.
bool read(std::string_view message, RangeResponse& into) {
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1 && !read(fields.bytes(), into.header)) return false;
    if (fields.number() == 2 && !read_one_more(fields.bytes(), into.range.keys)) return false;
    if (fields.number() == 3) into.has_more = fields.flag();
  }
  return fields.whole();
}

bool read_deleted(std::string_view message, std::int64_t& deleted) {
  Fields fields(message);
  while (fields.next())
    if (fields.number() == 2) deleted = fields.signed_value();
  return fields.whole();
}

bool read(std::string_view message, TxnResult::Done& into) {
  Fields fields(message);
  RangeResponse found;
  while (fields.next()) {
    if (fields.number() == 1 && !read(fields.bytes(), found)) return false;
    if (fields.number() == 3 && !read_deleted(fields.bytes(), into.deleted)) return false;
  }
  into.found = std::move(found.range.keys);
  return fields.whole();
}

}  // namespace

std::string end_of_prefix(std::string_view prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.remove_suffix(1);
  if (prefix.empty()) return std::string(1, '\0');
  std::string end(prefix);
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1U);
  return end;
}

std::string range_request(const Page& page) {
  std::string message;
  if (page.from.empty()) {
    put_prefix(message, page.prefix);
  } else {
    put_bytes(message, 1, page.from);
    put_bytes(message, 2, end_of_prefix(page.prefix));
  }
  put_signed(message, 3, page.most);
  put_signed(message, 4, page.revision);
  return message;
}

std::string txn_request(const Txn& txn) {
  std::string message;
  for (const Compare& compare : txn.when) put_message(message, 1, compare_message(compare));
  put_operations(message, 2, txn.then);
  put_operations(message, 3, txn.otherwise);
  return message;
}

std::string watch_create_request(std::string_view prefix, Revision from) {
  std::string create;
  put_prefix(create, prefix);
  put_signed(create, 3, from);
  std::string message;
  put_message(message, 1, create);
  return message;
}

std::string lease_grant_request(std::chrono::seconds ttl) {
  std::string message;
  put_signed(message, 1, ttl.count());
  return message;
}

std::string lease_revoke_request(LeaseId lease) {
  std::string message;
  put_signed(message, 1, lease);
  return message;
}

std::string lease_keep_alive_request(LeaseId lease) { return lease_revoke_request(lease); }

std::string authenticate_request(std::string_view user, std::string_view password) {
  std::string message;
  put_bytes(message, 1, user);
  put_bytes(message, 2, password);
  return message;
}

std::string status_request() { return {}; }

std::optional<RangeResponse> read_range_response(std::string_view message) {
  RangeResponse response;
  if (!read(message, response)) return std::nullopt;
  response.range.revision = response.header.revision;
  return response;
}

std::optional<TxnResponse> read_txn_response(std::string_view message) {
  TxnResponse response;
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1 && !read(fields.bytes(), response.header)) return std::nullopt;
    if (fields.number() == 2) response.result.held = fields.flag();
    if (fields.number() == 3 && !read_one_more(fields.bytes(), response.result.done)) return std::nullopt;
  }
  response.result.revision = response.header.revision;
  return fields.whole() ? std::optional(std::move(response)) : std::nullopt;
}

std::optional<WatchResponse> read_watch_response(std::string_view message) {
  WatchResponse response;
  Fields fields(message);
  while (fields.next()) {
    switch (fields.number()) {
      case 1:
        if (!read(fields.bytes(), response.header)) return std::nullopt;
        break;
      case 3: response.created = fields.flag(); break;
      case 4: response.canceled = fields.flag(); break;
      case 5: response.news.compacted = fields.signed_value(); break;
      case 6: response.cancel_reason = fields.bytes(); break;
      case 11:
        if (!read_one_more(fields.bytes(), response.news.events)) return std::nullopt;
        break;
      default: break;
    }
  }
  response.news.revision = response.header.revision;
  return fields.whole() ? std::optional(std::move(response)) : std::nullopt;
}

std::optional<LeaseResponse> read_lease_response(std::string_view message) {
  LeaseResponse response;
  Fields fields(message);
  while (fields.next()) {
    switch (fields.number()) {
      case 1:
        if (!read(fields.bytes(), response.header)) return std::nullopt;
        break;
      case 2: response.lease.id = fields.signed_value(); break;
      case 3: response.lease.ttl = std::chrono::seconds(fields.signed_value()); break;
      case 4: response.error = fields.bytes(); break;
      default: break;
    }
  }
  return fields.whole() ? std::optional(std::move(response)) : std::nullopt;
}

std::optional<RevokeResponse> read_revoke_response(std::string_view message) {
  RevokeResponse response;
  Fields fields(message);
  while (fields.next())
    if (fields.number() == 1 && !read(fields.bytes(), response.header)) return std::nullopt;
  return fields.whole() ? std::optional(response) : std::nullopt;
}

std::optional<AuthenticateResponse> read_authenticate_response(std::string_view message) {
  AuthenticateResponse response;
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1 && !read(fields.bytes(), response.header)) return std::nullopt;
    if (fields.number() == 2) response.token = fields.bytes();
  }
  return fields.whole() ? std::optional(std::move(response)) : std::nullopt;
}

std::optional<StatusResponse> read_status_response(std::string_view message) {
  StatusResponse response;
  Fields fields(message);
  while (fields.next()) {
    if (fields.number() == 1 && !read(fields.bytes(), response.header)) return std::nullopt;
    if (fields.number() == 2) response.version = fields.bytes();
    if (fields.number() == 4) response.leader = fields.unsigned_value();
  }
  return fields.whole() ? std::optional(std::move(response)) : std::nullopt;
}

}  // namespace belfry::daemon::etcd
