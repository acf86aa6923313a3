// Protobuf on the wire, as far as etcd's messages need it: numbers, and bytes with a length
// (https://protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::daemon::etcd {

// A field whose value is zero or empty is not written: to a reader it is the same.
void put_number(std::string& to, std::uint32_t field, std::uint64_t value);
void put_signed(std::string& to, std::uint32_t field, std::int64_t value);
void put_bytes(std::string& to, std::uint32_t field, std::string_view bytes);
// One of several that exclude each other: which of them is there says something, whatever its value.
void put_chosen(std::string& to, std::uint32_t field, std::int64_t value);
// A message within a message. Written also when it is empty: that it is there may be what it says.
void put_message(std::string& to, std::uint32_t field, std::string_view message);

// The fields of one message, one after the other.
//
//   for (Fields fields(message); fields.next();) switch (fields.number()) { case 1: key = fields.bytes(); … }
//   if (!fields.whole()) …
//
// Owner: a function that reads. Total: any bytes end in `whole()` being true or false; nothing is copied.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  // False: the message has ended, or is not well-formed.
  bool next();
  [[nodiscard]] std::uint32_t number() const { return number_; }
  // The value of the field. Of one that has another type than is asked for, the message is not well-formed.
  std::uint64_t unsigned_value();
  std::int64_t signed_value() { return static_cast<std::int64_t>(unsigned_value()); }
  bool flag() { return unsigned_value() != 0; }
  std::string_view bytes();

  [[nodiscard]] bool whole() const { return !broken_ && rest_.empty(); }

 private:
  enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  bool stop();
  bool take_varint(std::uint64_t& value);
  bool take(std::uint64_t size);

  std::string_view rest_;
  std::uint32_t number_ = 0;
  Wire wire_ = Wire::varint;
  std::uint64_t value_ = 0;
  std::string_view bytes_;
  bool broken_ = false;
};

}  // namespace belfry::daemon::etcd
