// The schema, the reference page and the decoder say the same: every key is tried on all three.
#include "config/decode/schema.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/decode/tables.hpp"
#include "config/load/load.hpp"
#include "tests/config/helpers.hpp"
#include "tests/config/schema_validator.hpp"

namespace belfry::config {
namespace {

using testing_support::SchemaValidator;
const std::string source_directory = BELFRY_SOURCE_DIR;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const Node* parse(Document& document, Diagnostics& diagnostics, std::string text) {
  diagnostics.sources().emplace_back("text", std::move(text));
  return document.parse(diagnostics, static_cast<std::uint32_t>(diagnostics.sources().size() - 1));
}

bool schema_accepts(const std::string& text) {
  Document document;
  Diagnostics diagnostics;
  const Node* const schema = parse(document, diagnostics, schema_json());
  const Node* const value = parse(document, diagnostics, text);
  return schema != nullptr && value != nullptr && SchemaValidator(*schema).valid(*value);
}

// Everything an error-free stack needs around one key.
std::string in_service(const std::string& keys, const std::string& type = "daemon") {
  const std::string needed = type == "gate"       ? ""
                             : type == "external" ? "ready: {tcp: \"127.0.0.1:1\"}, "
                                                  : "command: sleep 1, ";
  return "services: {base: {command: sleep 2}, db: {command: sleep 1, replicas: 3}, migrate: {type: oneshot, "
         "command: sleep 1}, x: {type: " +
         type + ", " + needed + keys + "}}\n";
}

std::string kind_for(std::string_view option) {
  if (option == "dialect") return "fd: 3, ";
  if (option == "hosts" || option == "require" || option == "confirm") return "cluster: a, ";
  if (option == "owner" || option == "send" || option == "expect") return "tcp: \"a:1\", ";
  if (option == "query") return "mysql: a, ";
  if (option == "exists" || option == "socket" || option == "contains") return "file: a, ";
  if (option == "method" || option == "headers" || option == "status" || option == "body" ||
      option == "json" || option == "tls")
    return "http: \"https://a/\", ";
  return option == "timeout" || option.ends_with("_delay") || option == "period" ||
                 option.ends_with("_timeout") || option.ends_with("_threshold") || option == "recheck"
             ? "port: 80, "
             : "";
}

// What several hosts have in common.
const std::string of_several_hosts = "cluster: {etcd: [\"https://e1:2379\"]}\n";
bool is_of_cluster(std::string_view key) {
  return key == "cluster" || key == "hosts" || key == "require" || key == "confirm";
}

std::string service_text(const Key& key, const std::string& pair) {
  if (key.name == "publish") return of_several_hosts + in_service(pair);
  if (key.name == "update") return of_several_hosts + in_service("publish: true, " + pair);
  if (key.name == "command") return "services: {x: {" + pair + "}}\n";
  if (key.name == "type") return "services: {x: {command: sleep 1, " + pair + "}}\n";
  const std::string type = (key.fits & fits_daemon) != 0    ? "daemon"
                           : (key.fits & fits_oneshot) != 0 ? "oneshot"
                                                            : "gate";
  if (key.name == "require") return in_service("depends_on: [db, base, migrate], " + pair, type);
  return in_service(pair, type);
}

// An address that the option makes sense for.
std::string address_for(std::string_view option) {
  if (option == "address") return {};
  if (option == "mode" || option == "owner" || option == "group") return "address: \"unix:/run/x\", ";
  return "address: \"[::1]:1\", ";
}

// A whole file in which `key` of `table` has `value`.
std::string file_with(const Table& table, const Key& key, const std::string& value) {
  const std::string pair = std::string(key.name) + ": " + value;
  if (table.name == "file") return (key.name == "services" ? "" : in_service("restart: no")) + pair + "\n";
  if (table.name == "service") return service_text(key, pair);
  if (table.name == "dependency") return in_service("depends_on: {db: {" + pair + "}}");
  if (table.name == "cluster")
    return in_service("restart: no") + "cluster: {" +
           (key.name == "etcd" ? "" : "etcd: [\"https://e1:2379\"], ") +
           (key.name == "password_file" ? "user: shop, " : "") + pair + "}\n";
  if (table.name == "probe" && is_of_cluster(key.name))
    return of_several_hosts + "services: {x: {type: external, ready: {" + kind_for(key.name) +
           (key.name == "require" ? "hosts: [a, b, c], " : "") + pair + "}}}\n";
  if (table.name == "probe" && key.name == "on_failure") return in_service("live: {port: 80, " + pair + "}");
  if (table.name == "probe")
    return in_service(std::string(key.name == "listen" ? "listen: \"127.0.0.1:81\", " : "") + "ready: {" +
                      kind_for(key.name) + pair + "}");
  if (table.name == "json_options") return in_service("ready: {http: \"https://a/\", json: {" + pair + "}}");
  if (table.name == "tls_options")
    return in_service("ready: {http: \"https://a/\", tls: {" +
                      std::string(key.name == "key" ? "cert: c.pem, " : "") + pair + "}}");
  if (table.name == "http_tls")
    return in_service("restart: no") + "http: {tls: {" + (key.name == "cert" ? "" : "cert: c.pem, ") + pair +
           "}}\n";
  if (table.name == "log_probe_options")
    return in_service("ready: {log: {" + std::string(key.name == "regex" ? "" : "regex: up, ") + pair + "}}");
  if (table.name == "dns_options")
    return in_service("ready: {dns: {" + std::string(key.name == "name" ? "" : "name: a.b, ") + pair + "}}");
  if (table.name == "restart_options") return in_service("restart: {" + pair + "}");
  if (table.name == "update")
    return of_several_hosts +
           in_service("replicas: 2, publish: true, update: {" +
                      std::string(key.name == "hosts" ? "max_unavailable: 1, " : "") + pair + "}");
  if (table.name == "schedule_options") {
    const std::string when = key.name == "every" || key.name == "cron" ? ""
                             : key.name == "time_zone"                 ? "cron: \"@daily\", "
                                                                       : "every: 1h, ";
    return in_service("schedule: {" + when + pair + "}", "oneshot");
  }
  if (table.name == "stop") return in_service("stop: {" + pair + "}");
  if (table.name == "log_options")
    return in_service("log: {" + std::string(key.name == "file" ? "" : "file: a.log, ") +
                      (key.name == "max_size" ? "" : "max_size: 1MiB, ") + pair + "}");
  if (table.name == "capabilities") return in_service("capabilities: {" + pair + "}");
  if (table.name == "io_priority_options") return in_service("io_priority: {" + pair + "}");
  if (table.name == "own_directory")
    return in_service("runtime_directory: {" + std::string(key.name == "name" ? "" : "name: app, ") + pair +
                      "}");
  if (table.name == "sandbox")
    return in_service("sandbox: {" + std::string(key.name == "writable" ? "read_only_root: true, " : "") +
                      pair + "}");
  if (table.name == "cgroup") return in_service("cgroup: {" + pair + "}");
  if (table.name == "reload_options") return in_service("reload: {" + pair + "}");
  if (table.name == "socket") return in_service("listen: {web: {" + address_for(key.name) + pair + "}}");
  if (table.name == "outputs") return in_service("outputs: {" + pair + "}");
  if (table.name == "env_file_options")
    return in_service("env_file: {" +
                      std::string(key.name == "path" ? "required: false, " : "path: none.env, ") + pair +
                      "}");
  return in_service("restart: no") + std::string(table.name) + ": {" + pair + "}\n";
}

std::string problems(const std::string& text) {
  LoadOptions options;
  options.free_ports = testing_support::fake_free_ports;
  options.environment = [](std::string_view) { return std::nullopt; };
  const Loaded loaded = load_text(text, "/nowhere/test.yaml", options);
  std::ostringstream out;
  for (const Diagnostic& one : loaded.diagnostics)
    if (one.severity == Severity::error && one.rule != "cannot-read")
      print(one, loaded.diagnostics.sources(), out);
  return out.str();
}

TEST(Schema, knows_the_type_of_every_key) {
  std::vector<std::string_view> known;
  for (const ValueType& type : value_types()) known.push_back(type.name);
  for (const Table& table : tables()) known.push_back(table.name);
  for (const Table& table : tables())
    for (const Key* key : table.keys)
      EXPECT_TRUE(std::ranges::find(known, key->type) != known.end())
          << table.name << "." << key->name << ": " << key->type;
}

TEST(Schema, and_the_decoder_accept_the_example_of_every_key) {
  for (const Table& table : tables())
    for (const Key* key : table.keys) {
      const std::string text = file_with(table, *key, std::string(key->example));
      EXPECT_EQ(problems(text), "") << text;
      EXPECT_TRUE(schema_accepts(text)) << text;
    }
}

TEST(Schema, and_the_decoder_refuse_an_unknown_key_in_every_mapping) {
  for (const Table& table : tables()) {
    Key unknown = *table.keys.front();
    unknown.name = "zzzz";
    const std::string text = file_with(table, unknown, "1");
    EXPECT_NE(problems(text), "") << text;
    EXPECT_FALSE(schema_accepts(text)) << text;
  }
}

// The neighbour of a bound, written as the bound is.
std::string beyond(std::string_view bound, int step) {
  const double value = std::stod(std::string(bound)) + step;
  return bound.contains('.') ? std::to_string(value) : std::to_string(static_cast<long long>(value));
}
TEST(Schema, and_the_decoder_have_the_same_bounds_for_every_number) {
  for (const Table& table : tables())
    for (const Key* key : table.keys) {
      const bool number =
          key->type == "integer" || key->type == "number" || key->type == "integer_or_unlimited";
      ASSERT_EQ(number, !key->least.empty() && !key->most.empty()) << table.name << "." << key->name;
      if (!number) continue;
      for (const std::string_view bound : {key->least, key->most}) {
        // Ten thousand replicas are not tried.
        if (key->name == "replicas" && bound == key->most) continue;
        const std::string text = file_with(table, *key, std::string(bound));
        EXPECT_EQ(problems(text), "") << text;
        EXPECT_TRUE(schema_accepts(text)) << text;
      }
      for (const std::string& outside : {beyond(key->least, -1), beyond(key->most, 1)}) {
        const std::string text = file_with(table, *key, outside);
        EXPECT_NE(problems(text), "") << text;
        EXPECT_FALSE(schema_accepts(text)) << text;
      }
    }
}
TEST(Schema, and_the_decoder_take_numbers_in_quotes_and_from_variables) {
  for (const Table& table : tables())
    for (const Key* key : table.keys) {
      if (key->least.empty()) continue;
      const std::string quoted = file_with(table, *key, "\"" + std::string(key->least) + "\"");
      EXPECT_EQ(problems(quoted), "") << quoted;
      EXPECT_TRUE(schema_accepts(quoted)) << quoted;
      const std::string variable = file_with(table, *key, "\"${NONE:-" + std::string(key->least) + "}\"");
      EXPECT_EQ(problems(variable), "") << variable;
      EXPECT_TRUE(schema_accepts(variable)) << variable;
    }
}
TEST(Schema, and_the_decoder_take_these_spellings) {
  for (const char* keys :
       {"environment: [A=1, B]", "environment: [1]", "environment: {A: 1, B: true, C: }", "tty: \"true\"",
        "success_exit_codes: \"5\"", "success_exit_codes: [\"5\", 6]", "depends_on: [base]",
        "ready: {http: \"HTTP://a/\"}", "ready: {redis: \"Redis://a:1\"}", "restart: \"${NONE:-no}\"",
        "ready: {notify: \"true\"}", "ready: {exec: [x], recheck: \"true\"}", "working_dir: 5",
        "ready: [notify, {port: 80}]", "ready: {any: [{port: 80}, {fd: 3}], timeout: 3s}",
        "stop: {timeout: .5s}", "cgroup: {cpu_max: \".5\"}", "depends_on: {db: {require: \"2\"}}"}) {
    const std::string text = in_service(keys);
    EXPECT_EQ(problems(text), "") << text;
    EXPECT_TRUE(schema_accepts(text)) << text;
  }
  const std::string number =
      "services: {x: {command: 5}, 1: {command: [x, 1, true, 1.5]}, y: {command: x, depends_on: [1]}}";
  EXPECT_EQ(problems(number), "");
  EXPECT_TRUE(schema_accepts(number));
}
TEST(Schema, and_the_decoder_refuse_two_kinds_in_one_probe) {
  for (const char* keys : {"ready: {port: 80, file: x}", "live: {exec: [x], tcp: \"a:1\"}",
                           "ready: [{port: 80, file: x}]", "bells: {b: {log: x, file: y}}"}) {
    EXPECT_NE(problems(in_service(keys)), "") << keys;
    EXPECT_FALSE(schema_accepts(in_service(keys))) << keys;
  }
  for (const char* keys : {"ready: [{timeout: 3s}]", "ready: {any: [{timeout: 3s}, {port: 80}]}"}) {
    EXPECT_NE(problems(in_service(keys)), "") << keys;
    EXPECT_FALSE(schema_accepts(in_service(keys))) << keys;
  }
  // What is merged may have its kind elsewhere.
  const std::string merged =
      "defaults: {ready: {timeout: 9s}}\nservices: {x: {command: x, ready: {port: 80}}}";
  EXPECT_EQ(problems(merged), "");
  EXPECT_TRUE(schema_accepts(merged));
}
TEST(Schema, and_the_decoder_ignore_notes_in_every_mapping) {
  for (const Table& table : tables()) {
    Key note = *table.keys.front();
    note.name = "x-note";
    std::string text = file_with(table, note, "[1, {a: b}]");
    if (table.name == "probe") text = in_service("ready: {port: 80, x-note: 1}");
    if (table.name == "reload_options") text = in_service("reload: {command: a, x-note: 1}");
    EXPECT_EQ(problems(text), "") << text;
    EXPECT_TRUE(schema_accepts(text)) << text;
  }
}

TEST(Schema, and_the_decoder_refuse_a_list_of_lists_for_every_key) {
  for (const Table& table : tables())
    for (const Key* key : table.keys) {
      const std::string text = file_with(table, *key, "[[[]]]");
      EXPECT_NE(problems(text), "") << text;
      EXPECT_FALSE(schema_accepts(text)) << text;
    }
}

TEST(Schema, does_not_accept_what_is_wrong_in_shape) {
  for (const std::string name : {"stop-bare-number", "restart-unknown", "type-unknown", "service-unknown-key",
                                 "http-text", "ready-unknown-kind", "depends-text", "on-loss"}) {
    const std::string path = source_directory + "/tests/config/bad/" + name + ".yaml";
    if (std::filesystem::exists(path)) EXPECT_FALSE(schema_accepts(contents(path))) << name;
  }
}

void expect_same_as_file(const std::string& path, const std::string& generated) {
  if (std::getenv("BELFRY_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << generated;
  EXPECT_EQ(contents(path), generated) << "run the config tests with BELFRY_UPDATE_GOLDEN=1";
}

TEST(Schema, in_the_tree_is_what_the_tables_say) {
  expect_same_as_file(source_directory + "/config/schema.json", schema_json());
}

TEST(Reference, page_in_the_tree_is_what_the_tables_say) {
  expect_same_as_file(source_directory + "/docs/reference/file.md", reference_markdown());
}

}  // namespace
}  // namespace belfry::config
