# Libraries from Debian 12 (docs/decisions/0001-dependencies.md says why each). Linked statically where an archive exists, so that
# snrt travels to another machine with nothing but libc and libm.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
if(SNC_TESTS)
  find_package(GTest REQUIRED)
endif()

add_library(sn-hdf5 INTERFACE)
find_path(SNC_HDF5_INCLUDE hdf5.h PATH_SUFFIXES hdf5/serial REQUIRED)
find_library(SNC_HDF5_LIBRARY libhdf5.a PATH_SUFFIXES hdf5/serial REQUIRED)
find_library(SNC_HDF5_SCALES libhdf5_hl.a PATH_SUFFIXES hdf5/serial REQUIRED) # dimension scales: NetCDF-4
target_include_directories(sn-hdf5 SYSTEM INTERFACE ${SNC_HDF5_INCLUDE})
target_link_libraries(sn-hdf5 INTERFACE ${SNC_HDF5_SCALES} ${SNC_HDF5_LIBRARY} libsz.a libaec.a libz.a ${CMAKE_DL_LIBS} m Threads::Threads)

find_library(SNC_SODIUM libsodium.a REQUIRED)
find_library(SNC_MINIZIP libminizip.a REQUIRED)
add_library(sn-archive-libs INTERFACE)
target_link_libraries(sn-archive-libs INTERFACE ${SNC_SODIUM} ${SNC_MINIZIP} libz.a Threads::Threads)
