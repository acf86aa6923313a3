# Everything belfry links against comes from Debian 12 packages (deploy/install-deps).
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Threads REQUIRED)

# belfry_library(<name> <library> <header> [ARCHIVE]): the target belfry_<name>, for what Debian brings no CMake
# package of, or one that only knows the shared library. The archive with BELFRY_STATIC, and with ARCHIVE always.
function(belfry_library name library header)
  string(TOUPPER ${name} _upper)
  if(BELFRY_STATIC OR "ARCHIVE" IN_LIST ARGN)
    set(_variable BELFRY_${_upper}_ARCHIVE)
    find_library(${_variable} NAMES lib${library}.a REQUIRED)
  else()
    set(_variable BELFRY_${_upper}_LIBRARY)
    find_library(${_variable} NAMES ${library} REQUIRED)
  endif()
  find_path(BELFRY_${_upper}_HEADERS ${header} REQUIRED)
  add_library(belfry_${name} INTERFACE)
  target_include_directories(belfry_${name} SYSTEM INTERFACE ${BELFRY_${_upper}_HEADERS})
  target_link_libraries(belfry_${name} INTERFACE ${${_variable}} Threads::Threads)
endfunction()

# Archives in every build, as Boost is: libraries less to install beside belfry, and to load before it starts.
belfry_library(re2 re2 re2/re2.h ARCHIVE)
belfry_library(cares cares ares.h ARCHIVE)
belfry_library(nghttp2 nghttp2 nghttp2/nghttp2.h ARCHIVE)
target_compile_definitions(belfry_nghttp2 INTERFACE NGHTTP2_STATICLIB)
belfry_library(zlib z zlib.h ARCHIVE)
belfry_library(yaml yaml-cpp yaml-cpp/yaml.h)
belfry_library(absl_time absl_time absl/time/time.h ARCHIVE)
foreach(_part time_zone strings strings_internal int128 throw_delegate raw_logging_internal base spinlock_wait log_severity)
  belfry_library(absl_${_part} absl_${_part} absl/time/time.h ARCHIVE)
  target_link_libraries(belfry_absl_time INTERFACE belfry_absl_${_part})
endforeach()

# Boost.JSON from its headers: the command line and the probes share one copy of its compiled part.
add_library(belfry_boost_json STATIC ${CMAKE_CURRENT_LIST_DIR}/boost_json.cpp)
target_link_libraries(belfry_boost_json PUBLIC Boost::headers)

if(BELFRY_STATIC)
  include(prometheus_archive)
else()
  find_package(prometheus-cpp CONFIG REQUIRED)
  add_library(belfry_prometheus INTERFACE)
  target_link_libraries(belfry_prometheus INTERFACE prometheus-cpp::core)
endif()

# Shared where it can be: what mends OpenSSL must reach belfry without a new belfry.
if(BELFRY_TLS)
  set(OPENSSL_USE_STATIC_LIBS ${BELFRY_STATIC})
  find_package(OpenSSL 3 REQUIRED)
  add_library(belfry_openssl INTERFACE)
  target_link_libraries(belfry_openssl INTERFACE OpenSSL::SSL OpenSSL::Crypto)
endif()

# Headers only: the libraries of databases are loaded by those who ask a query (docs/adr/0026).
if(NOT BELFRY_STATIC)
  find_path(BELFRY_LIBPQ_HEADERS libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
  find_path(BELFRY_LIBMARIADB_HEADERS mysql.h PATH_SUFFIXES mariadb REQUIRED)
  add_library(belfry_database_headers INTERFACE)
  target_include_directories(belfry_database_headers SYSTEM INTERFACE ${BELFRY_LIBPQ_HEADERS} ${BELFRY_LIBMARIADB_HEADERS})
endif()
