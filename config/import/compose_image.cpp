#include "config/import/compose_image.hpp"

#include <algorithm>
#include <array>

#include "config/document/words.hpp"

namespace belfry::config {
namespace {

constexpr auto images = std::to_array<KnownImage>({
    {"airflow", "airflow", "standalone", 8080},
    {"caddy", "caddy", "run --config /etc/caddy/Caddyfile", 80},
    {"consul", "consul", "agent -dev", 8500},
    {"cp-kafka", "/etc/confluent/docker/run", "", 9092},
    {"cp-schema-registry", "/etc/confluent/docker/run", "", 8081},
    {"cp-zookeeper", "/etc/confluent/docker/run", "", 2181},
    {"elasticsearch", "elasticsearch", "", 9200},
    {"etcd", "etcd", "", 2379},
    {"grafana", "grafana", "server", 3000},
    {"haproxy", "haproxy", "-f /usr/local/etc/haproxy/haproxy.cfg", 0},
    {"httpd", "httpd-foreground", "", 80},
    {"influxdb", "influxd", "", 8086},
    {"kafka", "kafka-server-start.sh", "config/server.properties", 9092},
    {"keycloak", "kc.sh", "start", 8080},
    {"kibana", "kibana", "", 5601},
    {"loki", "loki", "-config.file=/etc/loki/local-config.yaml", 3100},
    {"logstash", "logstash", "", 9600},
    {"mailhog", "MailHog", "", 1025},
    {"mailpit", "mailpit", "", 1025},
    {"mariadb", "mariadbd", "", 3306},
    {"memcached", "memcached", "", 11211},
    {"minio", "minio", "server /data", 9000},
    {"mongo", "mongod", "", 27017},
    {"mosquitto", "mosquitto", "-c /mosquitto/config/mosquitto.conf", 1883},
    {"mysql", "mysqld", "", 3306},
    {"nats", "nats-server", "", 4222},
    {"nginx", "nginx", "-g 'daemon off;'", 80},
    {"opensearch", "opensearch", "", 9200},
    {"pgvector", "postgres", "-D /var/lib/postgresql/data", 5432},
    {"postgis", "postgres", "-D /var/lib/postgresql/data", 5432},
    {"postgres", "postgres", "-D /var/lib/postgresql/data", 5432},
    {"prometheus", "prometheus", "--config.file=/etc/prometheus/prometheus.yml", 9090},
    {"rabbitmq", "rabbitmq-server", "", 5672},
    {"redis", "redis-server", "", 6379},
    {"timescaledb", "postgres", "-D /var/lib/postgresql/data", 5432},
    {"traefik", "traefik", "", 80},
    {"valkey", "valkey-server", "", 6379},
    {"vault", "vault", "server -dev", 8200},
    {"zookeeper", "zkServer.sh", "start-foreground", 2181},
});

std::string_view last_part(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

const KnownImage* known_image(std::string_view image) {
  image = last_part(image);  // first: a registry may have a port
  // What is left of a registry in a variable: `${REGISTRY:-docker.io/}postgres`.
  if (image.starts_with('}')) image.remove_prefix(1);
  image = image.substr(0, image.find_first_of(":@"));
  const auto found = std::ranges::find(images, image, &KnownImage::name);
  return found == images.end() ? nullptr : &*found;
}

std::vector<std::string> command_in_image(const KnownImage& image, std::vector<std::string> command) {
  const std::vector<std::string> own = split_words(image.arguments).words;
  const bool options_only = !command.empty() && command.front().starts_with('-');
  // `server /data` for minio: the first word is one the program knows, not a program.
  const bool subcommand = !command.empty() && !own.empty() && command.front() == own.front();
  const bool verbs =
      image.name == "keycloak" || image.name == "minio" || image.name == "vault" || image.name == "consul";
  const bool its_own = !command.empty() && last_part(command.front()) == last_part(image.program);
  if (command.empty())
    command = own;
  else if (its_own || !(options_only || subcommand || verbs))
    return command;
  command.insert(command.begin(), std::string(image.program));
  return command;
}

}  // namespace belfry::config
