// Errors of Asio as errors of this library, and the other way round.
#pragma once

#include <string_view>

#include "channels/asio.hpp"
#include "channels/error.hpp"

namespace belfry {

// Kind system with its errno for an error of the system; cancelled for operation_aborted, closed for the end
// of a stream, failed for all others. The message is "what: …". Precondition: code is an error.
Error error_from(const error_code& code, std::string_view what);

// The errno of the nearest system error in the chain, as a code of the system. Otherwise by kind: cancelled
// is operation_aborted, deadline_exceeded timed_out, closed the end of a stream; what is left is a code of
// error_category(), whose value is the kind. An empty error is no error.
error_code to_error_code(const Error& error) noexcept;

#if defined(BELFRY_STANDALONE_ASIO)
using error_category_type = std::error_category;
#else
using error_category_type = boost::system::error_category;
#endif
// "belfry": its values are those of Error::Kind, plus one, because zero is no error.
const error_category_type& error_category() noexcept;

}  // namespace belfry
