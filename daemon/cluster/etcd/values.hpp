// What etcd keeps and what is asked of it, as plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace belfry::daemon::etcd {

using Revision = std::int64_t;  // counts the changes of the whole store
using LeaseId = std::int64_t;   // 0: none

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision = 0;  // of the put that made the key: its generation
  Revision mod_revision = 0;
  std::int64_t version = 0;  // puts since it was made
  LeaseId lease = 0;
  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

// All keys below a prefix, as the cluster agrees on them at `revision`.
struct Range {
  Revision revision = 0;
  std::vector<KeyValue> keys;
  friend bool operator==(const Range&, const Range&) = default;
};

// A condition of a transaction. Of a key that is not there, every number is 0.
struct Compare {
  enum class What : std::uint8_t { version = 0, create_revision = 1, mod_revision = 2, value = 3, lease = 4 };
  enum class How : std::uint8_t { equal = 0, greater = 1, less = 2, not_equal = 3 };

  std::string key;
  What what = What::create_revision;
  How how = How::equal;
  std::int64_t number = 0;
  std::string text;     // of What::value, instead of the number
  bool of_all = false;  // it holds of every key that begins with `key`: also where there is none
  friend bool operator==(const Compare&, const Compare&) = default;
};

struct Put {
  std::string key;
  std::string value;
  LeaseId lease = 0;
  friend bool operator==(const Put&, const Put&) = default;
};
struct Delete {
  std::string key;
  friend bool operator==(const Delete&, const Delete&) = default;
};
struct Get {
  std::string key;
  friend bool operator==(const Get&, const Get&) = default;
};
using Operation = std::variant<Put, Delete, Get>;

// All conditions hold: `then` is done, whole; else `otherwise` is.
struct Txn {
  std::vector<Compare> when;
  std::vector<Operation> then;
  std::vector<Operation> otherwise;
  friend bool operator==(const Txn&, const Txn&) = default;
};

struct TxnResult {
  Revision revision = 0;
  bool held = false;        // the conditions did
  bool lease_lost = false;  // nothing was done: there is no such lease (any more) as a put names
  // What each operation of the branch that was taken has found (Get) or how many keys it has deleted.
  struct Done {
    std::vector<KeyValue> found;
    std::int64_t deleted = 0;
    friend bool operator==(const Done&, const Done&) = default;
  };
  std::vector<Done> done;
  friend bool operator==(const TxnResult&, const TxnResult&) = default;
};

struct Lease {
  LeaseId id = 0;
  std::chrono::seconds ttl{0};  // the server may have made it longer
  friend bool operator==(const Lease&, const Lease&) = default;
};

struct Event {
  enum class Type : std::uint8_t { put = 0, deleted = 1 };
  Type type = Type::put;
  KeyValue key_value;  // of a key that was deleted: key and mod_revision alone
  friend bool operator==(const Event&, const Event&) = default;
};

// What one message of a watch brings. Nothing but a revision: the server has come so far.
struct WatchNews {
  Revision revision = 0;
  std::vector<Event> events;
  // Not 0: what was to be told has been compacted away, and the watch is over. List again.
  Revision compacted = 0;
  friend bool operator==(const WatchNews&, const WatchNews&) = default;
};

}  // namespace belfry::daemon::etcd
