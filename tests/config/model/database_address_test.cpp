// Connection strings and URLs of databases.
#include "config/model/database_address.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

DatabaseAddress postgres(std::string_view text) {
  auto parsed = parse_postgres(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(DatabaseAddress{});
}
DatabaseAddress mysql(std::string_view text) {
  auto parsed = parse_mysql(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(DatabaseAddress{});
}
// "host:port" or the socket, each.
std::string places(const DatabaseAddress& address) {
  std::string out;
  for (const DatabaseHost& host : address.hosts) {
    if (!out.empty()) out += ' ';
    out += host.socket_path.empty() ? host.where() + ":" + std::to_string(host.port) : host.socket_path;
  }
  return out;
}
// "user password database".
std::string who(const DatabaseAddress& address) {
  return address.user + " " + address.password + " " + address.database;
}
std::string postgres_error(std::string_view text) {
  const auto parsed = parse_postgres(text);
  return parsed ? "none" : parsed.error().message;
}
std::string mysql_error(std::string_view text) {
  const auto parsed = parse_mysql(text);
  return parsed ? "none" : parsed.error().message;
}

TEST(PostgresAddress, is_read_from_pairs) {
  const auto a = postgres("host=db  port = 5433 dbname='the shop' user=app password='it\\'s \\\\ secret'");
  EXPECT_EQ(places(a), "db:5433");
  EXPECT_EQ(who(a), "app it's \\ secret the shop");
  EXPECT_EQ(a.ssl, SslMode::as_usual);
}

TEST(PostgresAddress, is_read_from_a_url) {
  const auto a = postgres("PostgreSQL://app:p%40ss@db:5433/shop?sslmode=verify-full&connect_timeout=7");
  EXPECT_EQ(places(a), "db:5433");
  EXPECT_EQ(who(a), "app p@ss shop");
  EXPECT_EQ(a.ssl, SslMode::verify_full);
  EXPECT_EQ(a.connect_timeout, 7U);
  EXPECT_EQ(places(postgres("postgres://[::1]/")), "::1:5432");
}

TEST(PostgresAddress, may_be_several) {
  EXPECT_EQ(places(postgres("host=a,b port=1,2")), "a:1 b:2");
  EXPECT_EQ(places(postgres("host=a,b port=7")), "a:7 b:7");
  EXPECT_EQ(places(postgres("postgres://a:1,b,[::2]:3/")), "a:1 b:5432 ::2:3");
  EXPECT_EQ(postgres_error("host=a,b port=1,2,3"), "this connection string has not as many ports as hosts");
}

TEST(PostgresAddress, may_be_the_folder_of_a_socket) {
  EXPECT_EQ(places(postgres("host=/run/postgresql")), "/run/postgresql/.s.PGSQL.5432");
  EXPECT_EQ(places(postgres("postgres://%2Frun%2Fpg:6000/shop")), "/run/pg/.s.PGSQL.6000");
  EXPECT_EQ(places(postgres("postgresql:///shop?host=/run/pg")), "/run/pg/.s.PGSQL.5432");
  EXPECT_EQ(places(postgres("host=@there")), "@there/.s.PGSQL.5432");
}

TEST(PostgresAddress, may_say_beside_the_name_where_it_is) {
  const auto a = postgres("host=db.internal hostaddr=10.0.0.7");
  EXPECT_EQ(places(a), "10.0.0.7:5432");
  EXPECT_EQ(a.hosts[0].name, "db.internal");
  EXPECT_EQ(places(postgres("hostaddr=::1")), "::1:5432");
}

TEST(PostgresAddress, says_what_is_wrong_and_never_the_password) {
  for (const char* text :
       {"host=db passwort=geheim", "host=db password='geheim", "host=db password=geheim geheim", "geheim",
        "password=geheim", "host=db password=geheim port=x", "host=db password=geheim sslmode=sometimes",
        "host=db password=geheim connect_timeout=soon", "host=db password=geheim service=x",
        "postgres://app:geheim%@db/", "postgres://app:geheim@db:x/", "postgres://app:geheim@/shop",
        "postgres://app:geheim@db/?geheim", "postgres://app:12?geheim=@db/", "host=db password=my geheim=x",
        "postgres://app:geheim@a b/"}) {
    EXPECT_NE(postgres_error(text), "none") << text;
    EXPECT_EQ(postgres_error(text).find("geheim"), std::string::npos) << postgres_error(text);
  }
  EXPECT_EQ(postgres_error("dbname=shop"), "this connection string does not say where the server is");
  EXPECT_EQ(postgres_error("host=a prot=1"), "a connection string of PostgreSQL has no `prot`");
  EXPECT_EQ(postgres_error("postgres://app:geheim@a/?prot=1"),
            "a connection string of PostgreSQL has no `prot`");
}

TEST(MysqlAddress, is_a_url_or_less) {
  const auto a = mysql("mysql://app:p%40ss@db:3307/shop?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem");
  EXPECT_EQ(places(a), "db:3307");
  EXPECT_EQ(who(a), "app p@ss shop");
  EXPECT_EQ(a.ssl, SslMode::verify_full);
  EXPECT_EQ(a.ca, "/ca.pem");
  EXPECT_EQ(places(mysql("db")), "db:3306");
  EXPECT_EQ(places(mysql("db:1")), "db:1");
  EXPECT_EQ(places(mysql("[::1]:1")), "::1:1");
  EXPECT_EQ(places(mysql("mariadb://a,b:2/")), "a:3306 b:2");
  EXPECT_EQ(places(mysql("/run/mysqld/mysqld.sock")), "/run/mysqld/mysqld.sock");
  EXPECT_EQ(places(mysql("mysql:///shop?socket=/run/mysqld/mysqld.sock")), "/run/mysqld/mysqld.sock");
}

TEST(MysqlAddress, with_an_authority_means_that_it_is_checked) {
  EXPECT_EQ(mysql("mysql://db/?ssl-ca=/ca.pem").ssl, SslMode::verify_ca);
  EXPECT_EQ(mysql("mysql://db/?ssl-ca=/ca.pem&ssl-mode=REQUIRED").ssl, SslMode::require);
  EXPECT_EQ(mysql("mysql://db/?ssl-ca=/ca.pem&ssl-mode=DISABLED").ssl, SslMode::disable);
  EXPECT_EQ(mysql("mysql://db/").ssl, SslMode::as_usual);
}

TEST(MysqlAddress, says_what_is_wrong_and_never_the_password) {
  for (const char* text :
       {"mysql://app:geheim@/shop", "mysql://app:geheim%@db/", "mysql://app:geheim@db/?sslmode=geheim",
        "mysql://app:geheim@db/?x=geheim", "mysql://app:12?geheim=@db/",
        "mysql://app:geheim@db/?socket=geheim", "app:geheim@db", "app:geheim@tcp(db:3306)/shop",
        "http://app:geheim@db/", "host=db password=geheim"}) {
    EXPECT_NE(mysql_error(text), "none") << text;
    EXPECT_EQ(mysql_error(text).find("geheim"), std::string::npos) << mysql_error(text);
  }
  EXPECT_NE(mysql_error("a:b"), "none");
  EXPECT_NE(mysql_error("a:0"), "none");
  EXPECT_NE(mysql_error("/"), "none");
  EXPECT_NE(mysql_error("mysql:///?socket=/"), "none");
}

}  // namespace
}  // namespace belfry::config
