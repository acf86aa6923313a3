#include "channels/detail/name.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "channels/detail/root_task.hpp"

namespace belfry::detail {

namespace {
constexpr const char* nameless = "";
}

const char* copy_name(const char* name) noexcept {
  if (name == nullptr || *name == '\0') return nameless;
  const char* copy = ::strdup(name);
  return copy == nullptr ? nameless : copy;  // no memory: better nameless than not at all
}

void drop_name(const char* copy) noexcept {
  if (copy != nameless) std::free(const_cast<char*>(copy));
}

void PackedName::copy(std::string_view name) noexcept {
  const std::size_t size = std::min<std::size_t>(name.size(), longest);
  auto* copy = size == 0 ? nullptr : static_cast<char*>(std::malloc(size));
  if (copy == nullptr) return;  // no memory: better nameless than not at all
  std::memcpy(copy, name.data(), size);
  pack(copy, size);
  bits_ |= copied;
}

void PackedName::drop() noexcept { std::free(const_cast<char*>(data())); }

}  // namespace belfry::detail
