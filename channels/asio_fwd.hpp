// Names Asio's io_context without including it: Asio costs several seconds a translation unit, and
// most of them need no more than this.
#pragma once

#if defined(BELFRY_STANDALONE_ASIO)
namespace asio {
class io_context;
}
namespace belfry {
namespace asio = ::asio;
}
#else
namespace boost::asio {
class io_context;
}
namespace belfry {
namespace asio = ::boost::asio;
}
#endif
