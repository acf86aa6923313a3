# Everything belfry links against comes from Debian 12 packages (deploy/install-deps).
find_package(Boost 1.81 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Threads REQUIRED)

# Debian's RE2 has no CMake package. Static, as Boost is: one library less to install beside belfry.
find_library(BELFRY_RE2_LIBRARY NAMES libre2.a REQUIRED)
find_path(BELFRY_RE2_HEADERS re2/re2.h REQUIRED)
add_library(belfry_re2 INTERFACE)
target_include_directories(belfry_re2 SYSTEM INTERFACE ${BELFRY_RE2_HEADERS})
target_link_libraries(belfry_re2 INTERFACE ${BELFRY_RE2_LIBRARY} Threads::Threads)

# The archive for the same reason; Debian's libc-ares-dev brings no CMake package either.
find_library(BELFRY_CARES_LIBRARY NAMES libcares.a REQUIRED)
find_path(BELFRY_CARES_HEADERS ares.h REQUIRED)
add_library(belfry_cares INTERFACE)
target_include_directories(belfry_cares SYSTEM INTERFACE ${BELFRY_CARES_HEADERS})
target_link_libraries(belfry_cares INTERFACE ${BELFRY_CARES_LIBRARY})

# Boost.JSON from its headers: the command line and the probes share one copy of its compiled part.
add_library(belfry_boost_json STATIC ${CMAKE_CURRENT_LIST_DIR}/boost_json.cpp)
target_link_libraries(belfry_boost_json PUBLIC Boost::headers)

# Shared, unlike the others: what mends OpenSSL must reach belfry without a new belfry.
if(BELFRY_TLS)
  find_package(OpenSSL 3 REQUIRED)
  add_library(belfry_tls INTERFACE)
  target_link_libraries(belfry_tls INTERFACE OpenSSL::SSL OpenSSL::Crypto)
endif()

# Headers only: the libraries of databases are loaded by those who ask a query (docs/adr/0026).
if(NOT BELFRY_STATIC)
  find_path(BELFRY_LIBPQ_HEADERS libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
  find_path(BELFRY_LIBMARIADB_HEADERS mysql.h PATH_SUFFIXES mariadb REQUIRED)
  add_library(belfry_database_headers INTERFACE)
  target_include_directories(belfry_database_headers SYSTEM INTERFACE ${BELFRY_LIBPQ_HEADERS} ${BELFRY_LIBMARIADB_HEADERS})
endif()
