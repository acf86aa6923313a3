# Warnings as a target, so that a library that is used from elsewhere does not impose them.
add_library(belfry_warnings INTERFACE)
add_library(belfry::warnings ALIAS belfry_warnings)
option(BELFRY_WERROR "Warnings are errors" OFF)
target_compile_options(belfry_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Wnull-dereference
  $<$<BOOL:${BELFRY_WERROR}>:-Werror>)
