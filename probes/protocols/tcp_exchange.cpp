#include "probes/protocols/tcp_exchange.hpp"

#include "text/escape.hpp"

namespace belfry::probes {

Result<Dialogue::Step> TcpExchange::begin(std::string& say) {
  heard_.clear();
  say += said_;
  return expected_ ? Step::listen : Step::done;
}

Result<Dialogue::Step> TcpExchange::hear(std::string_view bytes, std::string&) {
  heard_ += bytes.substr(0, most_kept - heard_.size());
  if (expected_->occurs_in(heard_)) return Step::done;
  if (heard_.size() < most_kept) return Step::listen;
  return std::unexpected(
      Error::failed("`expect` does not match the first 16 KiB of what it says, " + shown()));
}

Result<Dialogue::Step> TcpExchange::ended() {
  return std::unexpected(
      Error::failed(heard_.empty() ? "it closed the connection without a word"
                                   : "it closed the connection, and `expect` does not match " + shown()));
}

std::string TcpExchange::shown() const {
  constexpr std::size_t longest = 80;
  return text::json_string(std::string_view(heard_).substr(0, longest)) +
         (heard_.size() > longest ? "…" : "");
}

}  // namespace belfry::probes
