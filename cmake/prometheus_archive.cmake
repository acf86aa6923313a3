# prometheus-cpp's core as an archive, which Debian does not package: built from the source of Debian's own
# package, with the headers in it. Debian's patches to it touch no file of the core (ADR 27).
set(_version 1.0.1)
set(_sha256 593e028d401d3298eada804d252bc38d8cab3ea1c9e88bcd72095281f85e6d16)
set(_name prometheus-cpp_${_version}.orig.tar.gz)
set(BELFRY_DEBIAN_MIRROR http://deb.debian.org/debian CACHE STRING "Where a static build gets ${_name}")
set(BELFRY_PROMETHEUS_TARBALL ${PROJECT_BINARY_DIR}/${_name} CACHE FILEPATH
  "${_name}; fetched from BELFRY_DEBIAN_MIRROR when it is not there")

# apt-helper comes with apt itself: no deb-src line, no list and no root, but apt's own proxies.
set(_url ${BELFRY_DEBIAN_MIRROR}/pool/main/p/prometheus-cpp/${_name})
if(NOT EXISTS ${BELFRY_PROMETHEUS_TARBALL})
  execute_process(RESULT_VARIABLE _failed OUTPUT_QUIET ERROR_VARIABLE _said
    COMMAND /usr/lib/apt/apt-helper download-file ${_url} ${BELFRY_PROMETHEUS_TARBALL} SHA256:${_sha256})
  if(_failed)
    message(FATAL_ERROR "cannot fetch ${_url}: ${_failed}\n${_said}"
      "Next step: put the file at ${BELFRY_PROMETHEUS_TARBALL}, or name another mirror "
      "with -DBELFRY_DEBIAN_MIRROR=URL.")
  endif()
endif()
file(SHA256 ${BELFRY_PROMETHEUS_TARBALL} _found)
if(NOT _found STREQUAL _sha256)
  message(FATAL_ERROR "cannot trust ${BELFRY_PROMETHEUS_TARBALL}: its SHA-256 is ${_found} and not ${_sha256}.\n"
    "Next step: remove it, and the next configuration fetches it again.")
endif()

set(_core ${PROJECT_BINARY_DIR}/prometheus-cpp-${_version}/core)
# What its own build generates: nothing is exported from an archive.
set(_export ${_core}/include/prometheus/detail/core_export.h)
if(NOT EXISTS ${_export})
  file(ARCHIVE_EXTRACT INPUT ${BELFRY_PROMETHEUS_TARBALL} DESTINATION ${PROJECT_BINARY_DIR})
  file(WRITE ${_export} "#define PROMETHEUS_CPP_CORE_EXPORT\n")
endif()
set(_files check_names counter detail/builder detail/ckms_quantiles detail/time_window_quantiles detail/utils
  family gauge histogram registry serializer summary text_serializer)
list(TRANSFORM _files PREPEND ${_core}/src/)
list(TRANSFORM _files APPEND .cc)
add_library(belfry_prometheus STATIC ${_files})
target_include_directories(belfry_prometheus SYSTEM PUBLIC ${_core}/include)
target_link_libraries(belfry_prometheus PUBLIC Threads::Threads)
