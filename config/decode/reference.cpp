#include "config/decode/schema.hpp"
#include "config/keys/key.hpp"

namespace belfry::config {
namespace {

constexpr std::string_view head = R"(# The file

<!-- Printed from the key tables in config/; a test compares. Change the tables, then run the config
     tests with BELFRY_UPDATE_GOLDEN=1. -->

**Which file.** `-c FILE` (repeatable: later files are merged over earlier ones, mappings key by key, lists
replace), else the first that exists of `./belfry.yaml`, `./belfry.yml`, `/etc/belfry/belfry.yaml`. A file may have
up to 32 MiB.

**Editors.** With this first line, editors that speak the YAML language server complete and validate
(`belfry check --schema` prints the schema):

```yaml
# yaml-language-server: $schema=./schema.json
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
- Anchors, aliases and merge keys (`<<`) work. Keys that begin with `x-` are ignored. Everything else that is unknown
  is an error.
- Relative paths count from the service's `working_dir`, which counts from the directory of the (first) file.
- `yes`, `no`, `on`, `off` are not truth values here, and numbers do not begin with `0`: other YAML readers disagree
  about both, so belfry says so.
)";

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) c == '|' ? out += "\\|" : out += c;
  return out;
}

std::string type_of(const Key& key) {
  for (const ValueType& type : value_types())
    if (type.name == key.type) return std::string(type.meaning);
  return "a mapping";
}

std::string types_fitting(Fits fits) {
  if (fits == fits_all) return "all";
  std::string out;
  for (const auto& [bit, name] : {std::pair<Fits, std::string_view>{fits_daemon, "daemon"},
                                  {fits_oneshot, "oneshot"},
                                  {fits_external, "external"},
                                  {fits_gate, "gate"}})
    if ((fits & bit) != 0) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

void section(const Table& table, std::string& out) {
  const bool service = table.name == "service";
  out.append("\n## ").append(table.title).append("\n\n").append(table.meaning).append("\n\n");
  out += service ? "| key | of | value | default | meaning | example |\n|---|---|---|---|---|---|\n"
                 : "| key | value | default | meaning | example |\n|---|---|---|---|---|\n";
  for (const Key* key : table.keys) {
    out.append("| `").append(key->name).append("` | ");
    if (service) out.append(types_fitting(key->fits)).append(" | ");
    out.append(cell(type_of(*key)))
        .append(" | ")
        .append(cell(key->fallback))
        .append(" | ")
        .append(cell(key->meaning));
    out.append(" | `").append(cell(key->name)).append(": ").append(cell(key->example)).append("` |\n");
  }
}

}  // namespace

std::string reference_markdown() {
  std::string out(head);
  for (const Table& table : tables()) section(table, out);
  return out;
}

}  // namespace belfry::config
