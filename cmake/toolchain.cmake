# The language, the compiler and what every target is compiled with.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

option(BELFRY_TRY_GCC "Build with a GCC newer than 12 at your own risk" OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13 OR NOT BELFRY_TRY_GCC)
    message(FATAL_ERROR
      "cannot build belfry with GCC ${CMAKE_CXX_COMPILER_VERSION}: GCC 12 miscompiles coroutines "
      "(a temporary with state inside a co_await statement is destroyed twice, and "
      "`if (co_await f())` runs into SIGILL).\n"
      "Next step: use Clang 19, `cmake --preset release` does (apt-get install clang-19). "
      "To try a GCC newer than 12, pass -DBELFRY_TRY_GCC=ON and run the whole test suite.")
  endif()
endif()

if(BELFRY_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(BELFRY_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT BELFRY_SANITIZE STREQUAL "")
  message(FATAL_ERROR "cannot use BELFRY_SANITIZE=${BELFRY_SANITIZE}: it is address, thread or empty")
endif()

find_program(BELFRY_CCACHE ccache)
if(BELFRY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BELFRY_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${BELFRY_CCACHE})
endif()
# What nobody calls is not linked: most of what Asio and Beast bring is never used here.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()
find_program(BELFRY_MOLD mold)
if(BELFRY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
# Lets ccache reuse objects that were compiled against the same precompiled header.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang\ -fno-pch-timestamp>)
  set(CMAKE_PCH_INSTANTIATE_TEMPLATES ON)
endif()
