#include "config/document/confidential.hpp"

#include <gtest/gtest.h>

#include "config/document/source.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

TEST(Confidential, the_user_of_a_url_is_not_shown) {
  EXPECT_EQ(masked("postgres://app:s3cret@db:5432/shop"), "postgres://***@db:5432/shop");
  EXPECT_EQ(masked("mysql: app:s3cret@tcp(db:3306)/shop"), "mysql: ***@tcp(db:3306)/shop");
  EXPECT_EQ(masked("image: app:1.2@sha256:abc, git@host:path"), "image: app:1.2@sha256:abc, git@host:path");
  EXPECT_EQ(masked("cannot probe `https://ghp_abc@host/x`: no"), "cannot probe `https://***@host/x`: no");
  EXPECT_EQ(masked("amqp://u:p@rt@h/v"), "amqp://***@h/v");
  EXPECT_EQ(masked("redis://:pa/ss@cache:6379/0"), "redis://***@cache:6379/0");
  EXPECT_EQ(masked("a http://u:p@h b http://v:q@i"), "a http://***@h b http://***@i");
}

TEST(Confidential, a_url_without_a_user_is_shown_whole) {
  for (const char* url :
       {"http://127.0.0.1:8080/a@b", "http://[::1]:80/x", "tcp://db:5432", "file:///etc/x@y"})
    EXPECT_EQ(masked(url), url);
}

TEST(Confidential, a_password_of_a_connection_string_is_not_shown) {
  EXPECT_EQ(masked("host=db password=s3cret dbname=shop"), "host=db password=*** dbname=shop");
  EXPECT_EQ(masked("host=db password='s3 cret' user=x"), "host=db password='***' user=x");
  EXPECT_EQ(masked("user:pw@tcp(db)?PASSWORD=x&y=1"), "***@tcp(db)?PASSWORD=***&y=1");
}

TEST(Confidential, values_of_keys_that_speak_of_secrets_are_not_shown) {
  EXPECT_EQ(masked("/health?token=abc&x=1"), "/health?token=***&x=1");
  EXPECT_EQ(masked("{\"api_key\": \"abc\", \"n\": 1}"), "{\"api_key\": \"***\", \"n\": 1}");
  EXPECT_EQ(masked("AWS_SECRET_ACCESS_KEY: abc"), "AWS_SECRET_ACCESS_KEY: ***");
  EXPECT_EQ(masked("headers: {Authorization: \"Bearer abcdefgh\"}"), "headers: {Authorization: \"***\"}");
  EXPECT_EQ(masked("- Bearer abcdefgh"), "- Bearer ***");
}

TEST(Confidential, what_only_names_a_secret_stays) {
  for (const char* text :
       {"password: ${DB_PASSWORD}", "token_file: /etc/belfry/token", "`password` has no value",
        "secrets: {A: run/a}", "the token is missing", "a basic thing"})
    EXPECT_EQ(masked(text), text);
  EXPECT_EQ(masked("password: ${P:-hunter2}"), "password: ***") << "a default is a value";
}

std::string shown(const std::string& text, std::uint32_t line) {
  return line_to_show(Source("f", text), line);
}

TEST(Confidential, a_line_keeps_its_length) {
  EXPECT_EQ(shown("    ready: {http: \"http://u:pw@h/\"}", 1), "    ready: {http: \"http://****@h/\"}");
}

TEST(Confidential, a_variable_is_shown_by_its_name) {
  EXPECT_EQ(shown("environment: {A: \"x ${NAME:?is needed}\"}", 1),
            "environment: {A: \"**${NAME************\"}");
  EXPECT_EQ(shown("clean_environment: yes", 1), "clean_environment: yes");
}

TEST(Confidential, no_value_below_environment_is_shown) {
  const std::string text =
      "services:\n"
      "  a:\n"
      "    environment:\n"
      "      # a note\n"
      "      DSN: abc\n"
      "      REF: ${X}\n"
      "    user: www\n"
      "  b:\n"
      "    environment:\n"
      "    - DSN=abc\n"
      "  c: {environment: {A: bc, D: ef}, user: www}\n";
  EXPECT_EQ(shown(text, 5), "      DSN: ***");
  EXPECT_EQ(shown("a:\n  environment:\n    - KEY=a,b # note\n", 3), "    - KEY=*** # note");
  EXPECT_EQ(shown("a:\n  environment:\n    KEY: a, b}c\n", 3), "    KEY: ******");
  EXPECT_EQ(shown(text, 6), "      REF: ${X}");
  EXPECT_EQ(shown(text, 7), "    user: www");
  EXPECT_EQ(shown(text, 10), "    - DSN=***");
  EXPECT_EQ(shown("a:\n  environment:\n    KEY: |\n      MII ${X}\n      b: c\n", 4), "      ****${X}");
  EXPECT_EQ(shown("a:\n  environment:\n    KEY: |\n      MII ${X}\n      b: c\n", 5), "      ****");
  EXPECT_EQ(shown(text, 11).substr(0, 34), "  c: {environment: {A: **, D: **},");
}

TEST(Confidential, messages_and_lines_of_a_file_go_through_it) {
  const std::string said =
      text_of(loaded("services:\n  a:\n    command: x\n    ready: {http: 'ftp://joe:hunter2@h/'}\n"
                     "    environment:\n      PIN: [hunter3]\n")
                  .diagnostics);
  EXPECT_EQ(said.find("hunter"), std::string::npos) << said;
  EXPECT_NE(said.find("^"), std::string::npos) << "the place is shown all the same\n" << said;
}

TEST(Confidential, lines_of_what_is_no_belfry_file_are_not_shown) {
  for (const char* text :
       {"root:$6$salt$hash:19000:0:99999:7:::\n", "{\"token\": \"abc", "-----BEGIN KEY-----\nMIIabc\n"}) {
    const std::string said = text_of(loaded(text).diagnostics);
    EXPECT_EQ(said.find("hash"), std::string::npos) << said;
    EXPECT_EQ(said.find("abc"), std::string::npos) << said;
    EXPECT_FALSE(said.empty());
  }
  EXPECT_TRUE(looks_like_a_belfry_file("# a\nservices:\n"));
  EXPECT_FALSE(looks_like_a_belfry_file("kind: Secret\nmetadata:\n  name: x\ndata: {a: b}\n"));
  EXPECT_TRUE(looks_like_a_belfry_file("{\"services\": {}}"));
}

TEST(Confidential, lines_of_env_files_are_not_shown) {
  const Directory dir;
  dir.write("app.env", "GOOD=1\nmy secret words\n");
  const auto result = load(dir.write("belfry.yaml", "services: {a: {command: x, env_file: app.env}}"));
  const std::string said = text_of(result.diagnostics);
  EXPECT_NE(said.find("app.env:2"), std::string::npos) << said;
  EXPECT_EQ(said.find("\n    my secret words"), std::string::npos) << said;
}

TEST(Confidential, a_login_that_is_malformed_is_hidden_all_the_same) {
  for (const char* url : {"postgres://app:gehe im@db/", "mysql://app:12?geheim=@db/", "redis://:gehe/im#x@db",
                          "amqp://app:a,geheim@db/"}) {
    EXPECT_FALSE(masked(url).contains("im")) << masked(url);
    EXPECT_FALSE(masked(std::string("ready: \"") + url + "\"").contains("im")) << url;
    EXPECT_TRUE(masked(url).contains("@db")) << masked(url);
  }
  EXPECT_EQ(masked("http://host/a@2x.png"), "http://host/a@2x.png");
}

}  // namespace
}  // namespace belfry::config
