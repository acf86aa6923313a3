#include "daemon/http/wire/content_coding.hpp"

#include <string>
#include <utility>

#include "channels/run_blocking.hpp"
#include "system/gzip.hpp"

namespace belfry::daemon::http {

Task<Response> in_gzip(Context& ctx, Response response) {
  auto packing = run_blocking(ctx, [&text = response.body] { return system::gzip(text); });
  Result<std::string> packed = co_await std::move(packing);
  if (packed && !packed->empty()) {
    response.body = std::move(*packed);
    response.content_encoding = "gzip";
  }
  co_return response;
}

}  // namespace belfry::daemon::http
