// Asio's compiled part, once per program.
#if defined(BELFRY_STANDALONE_ASIO)
#include <asio/impl/src.hpp>
#else
#include <boost/asio/impl/src.hpp>
#endif
