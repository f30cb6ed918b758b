# Compiler-wide settings. Includes are spelled from the repository root.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_PCH_INSTANTIATE_TEMPLATES ON)

find_program(SNC_CCACHE ccache)
if(SNC_CCACHE)
  # Precompiled headers carry times; ccache needs to be told that only their content counts.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SNC_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${SNC_CCACHE})
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Xclang> $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fno-pch-timestamp>)
endif()
add_compile_options(-Wall -Wextra -Wno-unused-parameter -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_link_options(-fuse-ld=lld)
endif()
add_link_options(-Wl,--as-needed -Wl,--gc-sections)

# A finding ends the program; frames are kept so that its stack can be read. Debian's archives (HDF5, minizip, sodium) are not
# instrumented: what they read and write is seen only through malloc and the intercepted functions of libc.
if(SNC_SANITIZE)
  add_compile_options(-fsanitize=${SNC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SNC_SANITIZE})
  if(SNC_SANITIZE MATCHES address)
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
  endif()
endif()
# Coverage for libFuzzer in everything, so that one tree serves the tests under sanitizers and the fuzz targets.
if(SNC_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
