#include "config/decode/schema.hpp"
#include "config/decode/tables.hpp"
#include "config/keys/schema.hpp"

namespace belfry::config {
namespace {

constexpr std::string_view head = R"(# The file

<!-- Printed from the key tables in config/; a test compares. Change the tables, then run the config
     tests with BELFRY_UPDATE_GOLDEN=1. -->

**Which file.** `-c FILE` (repeatable: later files are merged over earlier ones, mappings key by key, lists
replace), else the first that exists of `./belfry.yaml`, `./belfry.yml`, `/etc/belfry/belfry.yaml`. A file may have
up to 32 MiB.

**Editors.** With this first line, editors that speak the YAML language server complete and validate, once
`belfry check --schema > belfry.schema.json` has put the schema beside the file ([how](../how-to/editors.md)):

```yaml
# yaml-language-server: $schema=./belfry.schema.json
```

**Directories.** The control socket is `$XDG_RUNTIME_DIR/belfry/NAME.sock`, else `/run/belfry/NAME.sock`, else it lies
in a private directory (mode 0700) below the temporary one. History is kept in `$XDG_STATE_HOME/belfry`, else
`/var/lib/belfry`. On a read-only root filesystem history is off, which is said once; a control socket then needs a
writable `/run` or temporary directory, as a tmpfs is.

**Conventions.**

- Durations are `250ms`, `10s`, `1m30s` (ns, us, ms, s, m, h, d); `0` needs no unit.
- Sizes are `64MiB`, `1GiB`; `K`, `M`, `G`, `T` count by 1024, `KB`, `MB`, … by 1000.
- Variables as in compose: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`,
  `${NAME:+replacement}`, nested ones too; `$$` is one `$`. They are replaced in values, not in keys. They come from
  belfry's environment, else from a file `.env` beside the (first) belfry file ([env files](env-file.md)). The
  environment wins. What is only in `.env` reaches no service by itself: pass it on with
  `environment: {NAME: }` or name the file as `env_file`. `BELFRY_PROFILES` is read from the environment alone.
- `${SERVICE.KEY}` is an output of a service, known when that service is ready ([how](../how-to/outputs.md)); `$${` is the text `${`.
- Anchors, aliases and merge keys (`<<`) work. Keys that begin with `x-` are ignored. Everything else that is unknown
  is an error.
- Relative paths count from the service's `working_dir`, which counts from the directory of the (first) file.
- What is marked **not yet** is part of the format and refused by `check` and `run`; in a service that no profile
  enables that is a warning. Everything else works since 0.1.
- **On reload** is what `belfry reload` makes of a change ([how](../how-to/reload.md)): `restart` stops and starts the
  service, `in place` touches nothing that runs, `refused` takes a restart of belfry itself. It holds for everything
  inside of the key; of `ready`, the tuning (`timeout`, `period`, thresholds, `recheck`, delays) is applied in place.
- `yes`, `no`, `on`, `off` are not truth values here, and numbers do not begin with `0`: other YAML readers disagree
  about both, so belfry says so.
)";

}  // namespace

std::string schema_json() { return schema_json(tables(), value_types()); }

std::string reference_markdown() { return reference_markdown(head, tables(), value_types()); }

}  // namespace belfry::config
