# Everything belfry links against comes from Debian 12 packages (deploy/install-deps).
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Threads REQUIRED)

# Debian's RE2 has no CMake package. Static, as Boost is: one library less to install beside belfry.
find_library(BELFRY_RE2_LIBRARY NAMES libre2.a REQUIRED)
find_path(BELFRY_RE2_HEADERS re2/re2.h REQUIRED)
add_library(belfry_re2 INTERFACE)
target_include_directories(belfry_re2 SYSTEM INTERFACE ${BELFRY_RE2_HEADERS})
target_link_libraries(belfry_re2 INTERFACE ${BELFRY_RE2_LIBRARY} Threads::Threads)
