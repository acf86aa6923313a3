// The one header that includes Asio: Boost's, or standalone with BELFRY_STANDALONE_ASIO.
#pragma once

#if defined(BELFRY_STANDALONE_ASIO)
#include <asio.hpp>
#include <system_error>
#if ASIO_VERSION < 102400
#include <asio/experimental/deferred.hpp>
#endif
#else
#include <boost/asio.hpp>
#include <boost/system/error_code.hpp>
#endif

#include "channels/asio_fwd.hpp"

namespace belfry {

#if defined(BELFRY_STANDALONE_ASIO)
using error_code = std::error_code;
#else
using error_code = boost::system::error_code;
#endif

// The completion token for async() in asio_bridge.hpp.
#if defined(BELFRY_STANDALONE_ASIO) && ASIO_VERSION < 102400
using asio::experimental::deferred;
#else
using asio::deferred;
#endif

// What every socket and timer of this project runs on (any_io_executor is larger and slower).
using Executor = asio::io_context::executor_type;

}  // namespace belfry
