// What a member of etcd sends, from anybody: messages, and the HTTP/2 round them.
#include <cstdlib>
#include <string>
#include <vector>

#include "config_targets.hpp"
#include "daemon/cluster/etcd/http2.hpp"
#include "daemon/cluster/etcd/messages.hpp"
#include "daemon/cluster/etcd/version.hpp"
#include "tests/probes/protocols/http2_frames.hpp"
#include "told.hpp"

namespace belfry::fuzz {

namespace {

using namespace daemon::etcd;

// A call that lasts and one that does not; whatever is heard, both end at the latest with the connection.
void converse(std::string_view stream, std::size_t piece) {
  Http2 connection({.authority = "e1:2379", .largest_message = 4096});
  std::string said;
  const auto count = [] {};
  Http2::Call watch(connection, path::watch, {}, watch_create_request("a/", 1), Http2::Call::Kind::lasting,
                    count);
  Http2::Call range(connection, path::range, {}, range_request({.prefix = "a/"}),
                    Http2::Call::Kind::short_one, count);
  connection.append_outgoing(said);
  for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size()))) {
    const Result<void> heard = connection.hear(stream.substr(0, piece));
    if (!heard) look_at(heard.error().text());
    if (!heard) break;
    watch.send(watch_create_request("b/", 2));
    connection.append_outgoing(said);
  }
  connection.end(Error::closed("the end"));
  for (Http2::Call* const call : {&watch, &range}) {
    while (const auto message = call->take())
      if (message->size() > 4096) std::abort();
    if (!call->end()) std::abort();
    look_at(call->end()->how == CallEnd::How::answered ? call->end()->status.text()
                                                       : call->end()->why.text());
  }
  if (connection.calls() != 0) std::abort();
}

}  // namespace

void etcd_message(std::string_view bytes) {
  const auto range = read_range_response(bytes);
  if (range && range->range.keys.size() > most_elements) std::abort();
  const auto watch = read_watch_response(bytes);
  if (watch && watch->news.events.size() > most_elements) std::abort();
  (void)read_txn_response(bytes);
  (void)read_lease_response(bytes);
  (void)read_revoke_response(bytes);
  (void)read_authenticate_response(bytes);
  (void)read_status_response(bytes);
  if (const std::string remark = remark_on_version(bytes); !remark.empty()) look_at(remark);
}

// As a whole stream; as what follows SETTINGS; as a body, well-formed and not.
void etcd_stream(std::string_view bytes) {
  const std::string head = test::settings() + test::good_headers();
  for (const std::string& stream :
       {std::string(bytes), test::settings() + std::string(bytes), head + std::string(bytes),
        head + test::data_frame(bytes.substr(0, 8192)) + test::trailers("0"),
        head + test::data_frame(test::grpc_message(bytes.substr(0, 8192))) + test::trailers("0")})
    for (const std::size_t piece : {std::string_view::npos, std::size_t{5}}) converse(stream, piece);
}

}  // namespace belfry::fuzz
