#include "daemon/http/api/page.hpp"

#include "daemon/http/wire/accept.hpp"
#include "dashboard/page.hpp"

namespace belfry::daemon::http {

Response show_page(const Request& request) {
  if (quality_of("gzip", request.accept_encoding) <= 0) {
    Response refusal = problem(406,
                               "cannot send the dashboard without compression: ask with Accept-Encoding: "
                               "gzip (curl --compressed), or see /v1/services");
    refusal.vary = "Accept-Encoding";
    return refusal;
  }
  Response page;
  page.content_type = text_html;
  page.content_encoding = "gzip";
  page.vary = "Accept-Encoding";
  page.policy = dashboard::page_policy;
  page.body = dashboard::packed_page;
  return page;
}

}  // namespace belfry::daemon::http
