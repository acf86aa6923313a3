// Certificates for tests, made once with openssl(1).
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace belfry::tls::test {

// A folder with an authority ("ca.pem"), what it has signed and what it has not.
class Certificates {
 public:
  Certificates() {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem "
        "-days 30 "
        "-subj /CN=authority");
    sign("good", "DNS:db.internal,IP:127.0.0.1", "-days 20");
    sign("linked", "IP:fe80::1", "-days 20");
    sign("short", "DNS:db.internal", "-days 1");
    sign("expired", "DNS:db.internal", "-days -1");
    sign("client", "DNS:belfry", "-days 2");
    run("openssl pkey -in client.key -aes128 -passout pass:sesame -out locked.key");
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout alone.key -out "
        "alone.pem -days 2 "
        "-subj /CN=db.internal -addext subjectAltName=DNS:db.internal");
  }
  ~Certificates() { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }

 private:
  void run(const std::string& command) {
    const std::string whole = "cd " + directory_ + " && " + command + " >log 2>&1";
    EXPECT_EQ(std::system(whole.c_str()), 0) << command;
  }
  void sign(const std::string& name, const std::string& names, const std::string& days) {
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name + ".key -out " +
        name + ".csr -subj /CN=" + name + " -addext subjectAltName=" + names);
    run("openssl x509 -req -in " + name +
        ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy " + days + " -out " + name +
        ".pem");
  }
  std::string directory_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "belfry-tls-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }();
};

inline const Certificates& certificates() {
  static const Certificates made;
  return made;
}

}  // namespace belfry::tls::test
