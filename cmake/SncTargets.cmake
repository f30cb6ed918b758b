# sn_library(name [DEPS targets...] [MLIR]): a static library of every .cpp in the current folder (not below it).
# sn_unit_test(name [DEPS ...] [MLIR]):      a GoogleTest program of every .cpp in the current folder, run by ctest.
# MLIR: compile with MLIR's include path and the shared precompiled header.
function(sn_sources out)
  file(GLOB found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  set(${out} ${found} PARENT_SCOPE)
endfunction()

function(sn_common target)
  cmake_parse_arguments(A "MLIR" "" "DEPS" ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
  target_link_libraries(${target} PUBLIC ${A_DEPS})
  if(A_MLIR)
    target_link_libraries(${target} PUBLIC sn-mlir)
    add_dependencies(${target} sn-tablegen)
    # The precompiled header is compiled -fPIC; clang accepts it only where programs are, too (CMake's default for them is -fPIE).
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
    target_precompile_headers(${target} REUSE_FROM sn-mlir-pch)
  endif()
endfunction()

function(sn_library name)
  sn_sources(sources)
  add_library(${name} STATIC ${sources})
  sn_common(${name} ${ARGN})
endfunction()

function(sn_unit_test name)
  sn_sources(sources)
  add_executable(${name} ${sources})
  sn_common(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_property(GLOBAL APPEND PROPERTY SN_TEST_PROGRAMS ${name})
endfunction()
