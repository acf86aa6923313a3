# Installs the package of BUILD below WORK, builds the consumer against it, and runs it.
file(REMOVE_RECURSE ${WORK})
foreach(step
    "${CMAKE_COMMAND};--install;${BUILD};--component;belfry-channels;--prefix;${WORK}/prefix"
    "${CMAKE_COMMAND};-S;${SOURCE};-B;${WORK}/build;-G;Ninja;-DCMAKE_PREFIX_PATH=${WORK}/prefix;-DCMAKE_CXX_COMPILER=${COMPILER};-DCMAKE_CXX_FLAGS=${FLAGS}"
    "${CMAKE_COMMAND};--build;${WORK}/build"
    "${WORK}/build/consumer")
  execute_process(COMMAND ${step} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "cannot use the installed package: ${step}\n${output}")
  endif()
endforeach()
if(NOT output STREQUAL "42\n")
  message(FATAL_ERROR "the consumer printed: ${output}")
endif()

# What somebody needs who has nothing but the package.
foreach(file README.md LICENSE)
  if(NOT EXISTS ${WORK}/prefix/share/doc/belfry-channels/${file})
    message(FATAL_ERROR "the package does not carry ${file}")
  endif()
endforeach()

# A compiler that makes programs which destroy things twice is refused: by the package, and by the headers of
# those who do not ask CMake.
find_program(gcc g++-12)
if(NOT gcc)
  message(STATUS "no g++-12 here: that it is refused was not tried")
  return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/gcc -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/prefix
                        -DCMAKE_CXX_COMPILER=${gcc}
                OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE code)
if(code EQUAL 0 OR NOT output MATCHES "cannot use belfry-channels with GCC 12")
  message(FATAL_ERROR "the package does not refuse GCC 12:\n${output}")
endif()
execute_process(COMMAND ${gcc} -std=c++23 -fsyntax-only -I ${WORK}/prefix/include/belfry ${SOURCE}/consumer.cpp
                OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE code)
if(code EQUAL 0 OR NOT output MATCHES "cannot use channels with GCC 12 or older")
  message(FATAL_ERROR "the headers do not refuse GCC 12:\n${output}")
endif()
