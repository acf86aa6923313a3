# A room is a folder that is a library of its own: what it may include is what it links.
#
# No target exports the source root. Each room exports a folder that holds nothing but a link to itself, so
# `#include "daemon/notify/router.hpp"` is only found by whoever links belfry::daemon_notify. tests/arrows
# reads the same arrows out of the sources and compares them with the table of docs/architecture.md.

# belfry_room(<folder> SOURCES … [SHOWS <rooms and libraries>] [USES <rooms and libraries>])
# SHOWS: what its headers include, which goes on to whoever links it. USES: what only its sources include.
function(belfry_room folder)
  cmake_parse_arguments(R "" "" "SOURCES;SHOWS;USES" ${ARGN})
  string(REPLACE "/" "_" _name ${folder})
  belfry_room_headers(${folder} _headers)
  if(R_SOURCES)
    add_library(belfry_${_name} STATIC ${R_SOURCES})
    target_link_libraries(belfry_${_name} PUBLIC ${R_SHOWS} PRIVATE ${R_USES} belfry::warnings)
    target_include_directories(belfry_${_name} PUBLIC ${_headers})
    target_compile_features(belfry_${_name} PUBLIC cxx_std_23)
    # What is never in a hurry is small rather than fast in the one file that goes into every image.
    if(BELFRY_STATIC AND folder MATCHES "^(analyze|cli|client|config|daemon/cluster|daemon/host|daemon/http/api|daemon/resources|daemon/run|daemon/why|history|probes/databases|probes/net|probes/protocols|relay|report|tls|waiter)(/|$)")
      target_compile_options(belfry_${_name} PRIVATE -Oz)
    endif()
  else()
    add_library(belfry_${_name} INTERFACE)
    target_link_libraries(belfry_${_name} INTERFACE ${R_SHOWS})
    target_include_directories(belfry_${_name} INTERFACE ${_headers})
  endif()
  add_library(belfry::${_name} ALIAS belfry_${_name})
endfunction()

# A folder in which `folder` of the sources, and nothing else, is found under its name.
function(belfry_room_headers folder out)
  string(REPLACE "/" "_" _name ${folder})
  set(_root ${PROJECT_BINARY_DIR}/rooms/${_name})
  get_filename_component(_parent ${_root}/${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${_parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${_root}/${folder} SYMBOLIC)
  set(${out} ${_root} PARENT_SCOPE)
endfunction()
