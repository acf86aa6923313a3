// One function per command: what was asked for in, the exit code out; what there was to say has been written.
#pragma once

#include "cli/options.hpp"

namespace belfry::cli {

int check(const Invocation& asked);
int graph(const Invocation& asked);
int status(const Invocation& asked);
int wait(const Invocation& asked);
int control(const Invocation& asked);  // start stop restart kill, reload of services
int reload(const Invocation& asked);
int events(const Invocation& asked);
int logs(const Invocation& asked);
int why(const Invocation& asked);
int analyze(const Invocation& asked);
int dashboard(const Invocation& asked);
int write_report(const Invocation& asked);
int shutdown(const Invocation& asked);
int up(const Invocation& asked);
int down(const Invocation& asked);
int ls(const Invocation& asked);
int attach(const Invocation& asked);
int import(const Invocation& asked);
int init(const Invocation& asked);
int completion(const Invocation& asked);

}  // namespace belfry::cli
