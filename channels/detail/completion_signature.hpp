// The completion signature of a deferred Asio operation, in old and new versions of Asio.
#pragma once

#include "channels/asio.hpp"

#if defined(BELFRY_STANDALONE_ASIO) && ASIO_VERSION < 102400

namespace belfry::detail {

// A completion token that starts nothing: asking an operation for its result type names the signature.
struct SignatureProbe {};
template <class Signature>
struct ProbedSignature {
  using type = Signature;
};

}  // namespace belfry::detail

template <class R, class... Args>
class asio::async_result<belfry::detail::SignatureProbe, R(Args...)> {
 public:
  template <class Initiation, class... InitArgs>
  static belfry::detail::ProbedSignature<R(Args...)> initiate(Initiation&&, belfry::detail::SignatureProbe,
                                                              InitArgs&&...) {
    return {};
  }
};

namespace belfry::detail {

template <class Operation>
using CompletionSignature = typename decltype(std::declval<Operation>()(SignatureProbe{}))::type;

}  // namespace belfry::detail

#else

namespace belfry::detail {

template <class Operation>
using CompletionSignature = typename asio::completion_signature_of<Operation>::type;

}  // namespace belfry::detail

#endif
