#include "system/gzip.hpp"

#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::system {

namespace {

constexpr std::size_t piece = std::size_t{64} << 10;
constexpr int gzip_header = 16;  // added to the window's bits (zlib.h, deflateInit2)
constexpr int usual_memory = 8;

int write_all(int into, const unsigned char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(into, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return 0;
}

// Owner: the frame that compresses.
class Deflater {
 public:
  explicit Deflater(int level) {
    is_ready_ = ::deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + gzip_header, usual_memory,
                               Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Deflater() {
    if (is_ready_) ::deflateEnd(&stream);
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  [[nodiscard]] bool is_ready() const { return is_ready_; }

  z_stream stream{};

 private:
  bool is_ready_ = false;
};

}  // namespace

int gzip(int from, int into, const std::atomic<bool>& given_up) {
  Deflater deflater(Z_DEFAULT_COMPRESSION);
  if (!deflater.is_ready()) return ENOMEM;
  z_stream& stream = deflater.stream;
  std::vector<unsigned char> read(piece), packed(piece);
  for (;;) {
    if (given_up) return ECANCELED;
    const ssize_t got = ::read(from, read.data(), read.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    stream.next_in = read.data();
    stream.avail_in = static_cast<uInt>(got);
    do {
      stream.next_out = packed.data();
      stream.avail_out = static_cast<uInt>(packed.size());
      ::deflate(&stream, got == 0 ? Z_FINISH : Z_NO_FLUSH);
      if (const int error = write_all(into, packed.data(), packed.size() - stream.avail_out); error != 0)
        return error;
    } while (stream.avail_out == 0);
    if (got == 0) return 0;
  }
}

std::string gzip(std::string_view text) {
  Deflater deflater(Z_BEST_SPEED);
  if (!deflater.is_ready()) return {};
  z_stream& stream = deflater.stream;
  std::string packed(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) return {};
  packed.resize(stream.total_out);
  return packed;
}

std::string gunzip(std::string_view packed) {
  z_stream stream{};
  if (::inflateInit2(&stream, MAX_WBITS + gzip_header) != Z_OK) return {};
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int told = Z_OK;
  while (told == Z_OK) {
    const std::size_t before = text.size();
    text.resize(before + piece);
    stream.next_out = reinterpret_cast<unsigned char*>(text.data() + before);
    stream.avail_out = static_cast<uInt>(piece);
    told = ::inflate(&stream, Z_NO_FLUSH);
    text.resize(text.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  return told == Z_STREAM_END ? text : std::string();
}

}  // namespace belfry::system
