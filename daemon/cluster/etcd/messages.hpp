// The messages of the calls that are used, written and read by hand. The numbers of the fields are those of
// etcd's api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto (github.com/etcd-io/etcd), the same from 3.0 on.
//
// A reader takes any bytes: what is not well-formed, or has more elements than anybody has keys, is nothing;
// fields that later versions may add are passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/cluster/etcd/values.hpp"

namespace belfry::daemon::etcd {

constexpr std::size_t most_elements = std::size_t{1} << 18;  // keys or events in one message

// The calls, as gRPC names them.
namespace path {
constexpr std::string_view range = "/etcdserverpb.KV/Range";
constexpr std::string_view txn = "/etcdserverpb.KV/Txn";
constexpr std::string_view watch = "/etcdserverpb.Watch/Watch";
constexpr std::string_view lease_grant = "/etcdserverpb.Lease/LeaseGrant";
constexpr std::string_view lease_revoke = "/etcdserverpb.Lease/LeaseRevoke";
constexpr std::string_view lease_keep_alive = "/etcdserverpb.Lease/LeaseKeepAlive";
constexpr std::string_view authenticate = "/etcdserverpb.Auth/Authenticate";
constexpr std::string_view status = "/etcdserverpb.Maintenance/Status";
}  // namespace path

// The first key behind all that begin with `prefix`; "\0", which is "all that follow", when there is none.
[[nodiscard]] std::string end_of_prefix(std::string_view prefix);

// A part of a list: the keys that begin with `prefix`.
struct Page {
  std::string prefix;
  std::string from{};     // and are not before this one; empty: all
  std::int64_t most = 0;  // so many of them; 0: as many as there are
  Revision revision = 0;  // as of then; 0: as the cluster agrees on them now
};
[[nodiscard]] std::string range_request(const Page& page);
[[nodiscard]] std::string txn_request(const Txn& txn);
[[nodiscard]] std::string watch_create_request(std::string_view prefix, Revision from);
[[nodiscard]] std::string lease_grant_request(std::chrono::seconds ttl);
[[nodiscard]] std::string lease_revoke_request(LeaseId lease);
[[nodiscard]] std::string lease_keep_alive_request(LeaseId lease);
[[nodiscard]] std::string authenticate_request(std::string_view user, std::string_view password);
[[nodiscard]] std::string status_request();

// Who answers, and how far it has come.
struct Header {
  std::uint64_t cluster = 0;
  std::uint64_t member = 0;
  Revision revision = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

struct RangeResponse {
  Header header;
  Range range;
  bool has_more = false;
};
struct TxnResponse {
  Header header;
  TxnResult result;
};
struct WatchResponse {
  Header header;
  bool created = false;
  bool canceled = false;
  std::string cancel_reason;
  WatchNews news;
};
// Of a grant and of a renewal.
struct LeaseResponse {
  Header header;
  Lease lease;
  std::string error;
};
struct RevokeResponse {
  Header header;
};
struct AuthenticateResponse {
  Header header;
  std::string token;
};
struct StatusResponse {
  Header header;
  std::string version;
  std::uint64_t leader = 0;  // 0: it knows none
};

[[nodiscard]] std::optional<RangeResponse> read_range_response(std::string_view message);
[[nodiscard]] std::optional<TxnResponse> read_txn_response(std::string_view message);
[[nodiscard]] std::optional<WatchResponse> read_watch_response(std::string_view message);
[[nodiscard]] std::optional<LeaseResponse> read_lease_response(std::string_view message);
[[nodiscard]] std::optional<RevokeResponse> read_revoke_response(std::string_view message);
[[nodiscard]] std::optional<AuthenticateResponse> read_authenticate_response(std::string_view message);
[[nodiscard]] std::optional<StatusResponse> read_status_response(std::string_view message);

}  // namespace belfry::daemon::etcd
