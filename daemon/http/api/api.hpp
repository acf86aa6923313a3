// From a request to its answer: checks who asks for what and how, then hands over to the room that knows.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "daemon/http/api/access.hpp"
#include "daemon/http/api/events.hpp"
#include "daemon/http/api/log_stream.hpp"
#include "daemon/http/api/router.hpp"
#include "daemon/http/api/scrape.hpp"
#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/request_handler.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "daemon/metrics/http_metrics.hpp"
#include "daemon/view/cluster_view.hpp"
#include "daemon/view/reload.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// GET /v1/wait, understood: every service with the condition that is waited for.
struct WaitFor {
  struct One {
    std::size_t service = 0;
    Level level;
  };
  std::vector<One> services;
  std::optional<Duration> timeout;
  bool any = false;       // one of them is enough
  bool in_public = true;  // the answer shows no more than PublicView does
};

// POST /v1/services/{name}/{command}, understood.
struct RunCommand {
  std::size_t service = 0;
  ServiceCommand command = ServiceCommand::start;
  Manner manner = Manner::in_order;  // ?only=1: alone; ?rolling=1: rolling
  bool in_background = false;        // ?wait=0: answer 202 at once
};

// POST /v1/reload, understood.
struct RunReload {
  std::string asked_by;
  bool dry_run = false;        // ?dry_run=1
  bool in_background = false;  // ?wait=0: answer 202 at once
};

// GET /metrics, understood.
struct Metrics {};

// GET /v1/cluster, understood.
struct ShowCluster {
  bool as_text = false;
  bool in_public = true;  // without what services say of themselves
};

// What a request is: answered, or something that has to be waited for first.
using Understood =
    std::variant<Response, WaitFor, RunCommand, RunReload, FollowEvents, FollowLogs, Metrics, ShowCluster>;

// Lifecycle: longer than the server that asks it, and not longer than the stack that it shows.
class Api final : public RequestHandler {
 public:
  Api(StackView& stack, HttpMetrics& metrics, Journal& journal, LogBook& logs, WallClock clock = WallClock())
      : stack_(stack), metrics_(metrics), scrape_(metrics), journal_(journal), logs_(logs), clock_(clock) {}

  // Before anybody can ask.
  void set_rules(AccessRules rules) { rules_ = std::move(rules); }
  // The stack is a part of it; nobody: it is alone.
  void set_cluster(ClusterSource& cluster) { cluster_ = &cluster; }
  // Before anybody can ask; without one, nobody can reload the stack.
  void set_reloader(StackReloader& reloader) { reloader_ = &reloader; }
  // Told of every command that is accepted, whoever sent it: "stop of api asked for by user 1000 (process
  // 4711)".
  std::function<void(const std::string&)> on_command;

  // --- for the server
  Answer answer(const Request& request, const Caller& caller) override;
  [[nodiscard]] bool is_light(const Request& request) const override;
  void answered(int status) override { metrics_.request_answered(status); }
  void happened(ConnectionEvent event) override;
  void remark(const std::string& text) override { on_remark(text); }
  void broke(const Error& error) override { on_broken(error); }

  // Told what was thrown while a request was answered. By default it is printed.
  std::function<void(const Error&)> on_broken = &print_broken;
  // Where what somebody should know goes; by default nowhere.
  std::function<void(const std::string&)> on_remark = [](const std::string&) {};

  // --- what answer() is made of
  [[nodiscard]] Understood understand(const Request& request, const Caller& caller);
  // Waits until every level holds, one of them never will (424), the time is over (504) or the daemon goes
  // (503).
  Task<Response> perform(Context& ctx, WaitFor wait);
  // Runs the command to its end.
  Task<Response> perform(Context& ctx, RunCommand run);
  // Asks etcd first, where the stack follows nobody.
  Task<Response> perform(Context& ctx, ShowCluster show);
  // Reloads the stack, or says what that would do.
  Task<Response> perform(Context& ctx, RunReload run);

 private:
  // Who asks, and what he may do and see.
  struct Asker {
    const Caller& caller;
    Access access = Access::none;
    [[nodiscard]] bool sees_everything() const;
  };
  static void print_broken(const Error& error);
  [[nodiscard]] Understood dispatch(const Match& match, const Request& request, std::string_view query,
                                    const Asker& asker);
  [[nodiscard]] Understood refuse_access(Route route, Access access, Proof proof) const;
  Understood audited(Understood understood, const Match& match, const Asker& asker) const;
  [[nodiscard]] Understood understand_wait(std::string_view query) const;
  [[nodiscard]] Understood understand_command(const Match& match, std::string_view query) const;

  [[nodiscard]] Understood understand_cluster(const Request& request, std::string_view query,
                                              const Asker& asker) const;

  [[nodiscard]] Understood understand_reload(std::string_view query, const Asker& asker) const;

  StackView& stack_;
  ClusterSource* cluster_ = nullptr;
  StackReloader* reloader_ = nullptr;
  HttpMetrics& metrics_;
  Scrape scrape_;
  Journal& journal_;
  LogBook& logs_;
  AccessRules rules_;
  WallClock clock_;
};

}  // namespace belfry::daemon::http
