// Boost.JSON's compiled part, once per program.
#include <boost/json/src.hpp>
