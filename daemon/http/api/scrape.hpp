// GET /metrics: in the format and the coding that the client would rather have.
#pragma once

#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/request_handler.hpp"
#include "daemon/metrics/http_metrics.hpp"

namespace belfry::daemon::http {

// Owner: the Api. Lifecycle: longer than every answer that it has given. Cancellation: an answer that is
// being compressed ends with its context.
class Scrape {
 public:
  explicit Scrape(HttpMetrics& metrics) : metrics_(metrics) {}
  Scrape(const Scrape&) = delete;
  Scrape& operator=(const Scrape&) = delete;

  [[nodiscard]] Response plain(const Request& request);
  // Compressed where the client takes that, in another thread: a large stack takes longer than a turn.
  [[nodiscard]] Answer answer(const Request& request);

 private:
  class Packed;
  HttpMetrics& metrics_;
  bool is_packing_ = false;  // there is one such thread at most; whoever comes meanwhile gets it uncompressed
};

}  // namespace belfry::daemon::http
