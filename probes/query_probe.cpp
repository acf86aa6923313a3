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
  Login login{
      .address = question_.address, .host = question_.host, .tls = question_.tls ? &*question_.tls : nullptr};
  if (owner_.judges())
    login.judge = [this](Context& within, Ends ends) { return owner_.judge(within, ends.own, ends.peer); };
  auto client = question_.make(ctx.loop(), std::move(login));
  if (!client) co_return failed(client.error());
  Result<void> done = co_await (*client)->log_in(ctx, std::move(where));
  if (!done) co_return failed(done.error());
  done = co_await (*client)->ask(ctx, question_.query);
  if (!done) co_return failed(done.error());
  co_return CheckResult{};
}

}  // namespace belfry::probes
