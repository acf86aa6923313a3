#include "daemon/http/api/scrape.hpp"

#include <utility>

#include "daemon/http/wire/accept.hpp"
#include "daemon/http/wire/content_coding.hpp"

namespace belfry::daemon::http {
namespace {

constexpr std::size_t worth_a_thread = 4096;  // below that, what is saved on the wire is not worth it

Exposition wanted_by(const Request& request) {
  const double open_metrics = quality_of("application/openmetrics-text", request.accept);
  const double text = quality_of("text/plain", request.accept);
  return open_metrics > 0 && open_metrics >= text ? Exposition::open_metrics : Exposition::text;
}

}  // namespace

class Scrape::Packed final : public Deferred {
 public:
  Packed(Scrape& scrape, Response plain)
      : Deferred(Delay::wait), scrape_(scrape), response_(std::move(plain)) {
    scrape_.is_packing_ = true;
  }
  ~Packed() override { scrape_.is_packing_ = false; }

  Task<Response> perform(Context& ctx) override { return in_gzip(ctx, std::move(response_)); }

 private:
  Scrape& scrape_;
  Response response_;
};

Response Scrape::plain(const Request& request) {
  const Exposition exposition = wanted_by(request);
  Response response;
  response.content_type = exposition == Exposition::open_metrics ? open_metrics_text : prometheus_text;
  response.vary = "Accept, Accept-Encoding";
  metrics_.write(response.body, exposition);
  return response;
}

Answer Scrape::answer(const Request& request) {
  Response response = plain(request);
  const bool takes_gzip = quality_of("gzip", request.accept_encoding) > 0;
  if (!takes_gzip || is_packing_ || request.method == Method::head || response.body.size() < worth_a_thread)
    return response;
  return std::make_unique<Packed>(*this, std::move(response));
}

}  // namespace belfry::daemon::http
