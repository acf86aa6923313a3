#include "daemon/cluster/etcd/protobuf.hpp"

namespace belfry::daemon::etcd {

namespace {

constexpr std::uint64_t more = 0x80;      // another byte of the number follows
constexpr std::uint32_t last_shift = 63;  // of the tenth byte, which has room for one bit

void append_varint(std::string& to, std::uint64_t number) {
  for (; number >= more; number >>= 7U) to += static_cast<char>((number & 0x7FU) | more);
  to += static_cast<char>(number);
}

}  // namespace

void put_number(std::string& to, std::uint32_t field, std::uint64_t value) {
  if (value != 0) put_chosen(to, field, static_cast<std::int64_t>(value));
}

void put_signed(std::string& to, std::uint32_t field, std::int64_t value) {
  put_number(to, field, static_cast<std::uint64_t>(value));
}

void put_chosen(std::string& to, std::uint32_t field, std::int64_t value) {
  append_varint(to, std::uint64_t{field} << 3U);
  append_varint(to, static_cast<std::uint64_t>(value));
}

void put_bytes(std::string& to, std::uint32_t field, std::string_view bytes) {
  if (!bytes.empty()) put_message(to, field, bytes);
}

void put_message(std::string& to, std::uint32_t field, std::string_view message) {
  append_varint(to, std::uint64_t{field} << 3U | 2U);
  append_varint(to, message.size());
  to += message;
}

bool Fields::stop() {
  broken_ = true;
  return false;
}

bool Fields::take_varint(std::uint64_t& value) {
  value = 0;
  for (std::uint32_t shift = 0; shift <= last_shift && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == last_shift && byte > 1) return false;
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < more) return true;
  }
  return false;
}

bool Fields::take(std::uint64_t size) {
  if (rest_.size() < size) return false;
  bytes_ = rest_.substr(0, static_cast<std::size_t>(size));
  rest_.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

bool Fields::next() {
  if (broken_ || rest_.empty()) return false;
  std::uint64_t key = 0;
  if (!take_varint(key) || key >> 3U == 0 || key >> 32U != 0) return stop();
  number_ = static_cast<std::uint32_t>(key >> 3U);
  wire_ = static_cast<Wire>(key & 7U);
  bytes_ = {};
  switch (wire_) {
    case Wire::varint: return take_varint(value_) || stop();
    case Wire::fixed64: return take(8) || stop();
    case Wire::fixed32: return take(4) || stop();
    case Wire::bytes: {
      std::uint64_t size = 0;
      return (take_varint(size) && take(size)) || stop();
    }
  }
  return stop();  // groups have been gone since before gRPC
}

std::uint64_t Fields::unsigned_value() {
  if (wire_ == Wire::varint) return value_;
  broken_ = true;
  return 0;
}

std::string_view Fields::bytes() {
  if (wire_ == Wire::bytes) return bytes_;
  broken_ = true;
  return {};
}

}  // namespace belfry::daemon::etcd
