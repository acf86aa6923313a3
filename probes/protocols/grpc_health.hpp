// grpc.health.v1.Health/Check over HTTP/2
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md, RFC 9113).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "probes/protocols/dialogue.hpp"

namespace belfry::probes {

struct GrpcRequest {
  std::string authority;     // "api:9000"
  std::string service = {};  // empty: the server as a whole
  bool within_tls = false;   // says `https`; the dialogue itself is the same
};

// Ready is who answers SERVING. HTTP/2 is libnghttp2's: without an upgrade, as gRPC has it ("prior
// knowledge"); what a server may make it keep or answer is bounded.
class GrpcHealth final : public Dialogue {
 public:
  static constexpr std::string_view alpn = "\2h2";

  explicit GrpcHealth(GrpcRequest request);
  ~GrpcHealth() override;
  GrpcHealth(const GrpcHealth&) = delete;
  GrpcHealth& operator=(const GrpcHealth&) = delete;

  Result<Step> begin(std::string& say) override;
  Result<Step> hear(std::string_view bytes, std::string& say) override;
  Result<Step> ended() override;
  [[nodiscard]] std::string_view farewell() const override { return farewell_; }

 private:
  struct Call;

  GrpcRequest request_;
  std::unique_ptr<Call> call_;
  std::string farewell_;
};

}  // namespace belfry::probes
