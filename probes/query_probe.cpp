#include "probes/query_probe.hpp"

#include <utility>

namespace belfry::probes {

QueryProbe::QueryProbe(NetMeans means, Question question, LocalOwner owner)
    : means_(means), question_(std::move(question)), owner_(std::move(owner)) {}

Task<CheckResult> QueryProbe::check(Context& ctx) {
  std::vector<Endpoint> where;
  const config::DatabaseHost& host = question_.host;
  if (host.socket_path.empty()) {
    Result<std::vector<Endpoint>> found = co_await means_.resolver.resolve(ctx, host.where(), host.port);
    if (!found) co_return std::unexpected(found.error());
    where = std::move(*found);
  }
  CheckResult outcome = co_await ask(ctx, std::move(where));
  co_return outcome;
}

Task<CheckResult> QueryProbe::ask(Context& ctx, std::vector<Endpoint> where) {
  const Login login{
      .address = question_.address, .host = question_.host, .tls = question_.tls ? &*question_.tls : nullptr};
  auto client = question_.make(ctx.loop(), login);
  if (!client) co_return failed(client.error());
  Result<void> done = co_await (*client)->log_in(ctx, std::move(where));
  if (!done) co_return failed(done.error());
  if (owner_.judges())
    if (const auto ends = (*client)->ends(); ends) {
      CheckResult ours = co_await owner_.judge(ctx, ends->own, ends->peer);
      if (!ours) co_return ours;
    }
  done = co_await (*client)->ask(ctx, question_.query);
  if (!done) co_return failed(done.error());
  co_return CheckResult{};
}

}  // namespace belfry::probes
