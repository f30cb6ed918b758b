# MLIR 19 and LLVM 19 from Debian, linked statically (docs/decisions/0001-dependencies.md). What to link:
#   sn-mlir       MLIR's headers, core, the func/arith/math/LLVM dialects and their passes (every target with the MLIR keyword has it)
#   sn-llvm       the LLVM archives under MLIR; never named directly
#   sn-codegen    the x86 back end, the optimizer and the linker, for compiler/Target/Cpu
find_package(MLIR 19.1 REQUIRED CONFIG HINTS /usr/lib/llvm-19/lib/cmake/mlir)
find_package(LLD REQUIRED CONFIG HINTS "${LLVM_DIR}/../lld")
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)
set(LLVM_LINK_LLVM_DYLIB OFF)

add_library(sn-llvm INTERFACE)
target_link_libraries(sn-llvm INTERFACE LLVMAsmParser LLVMBitReader LLVMCore LLVMFrontendOpenMP LLVMSupport LLVMTargetParser)

# Debian exports every MLIR and lld archive with a dependency on libLLVM.so: a program that mixes the two dies at exit. The archives
# stand in its place. lld's link-time optimizer would drag in Polly, which compiler/Target/Cpu replaces by an empty plugin.
get_property(_mlir_libs GLOBAL PROPERTY MLIR_ALL_LIBS)
foreach(lib IN LISTS _mlir_libs ITEMS lldELF lldCommon)
  if(TARGET ${lib})
    get_target_property(deps ${lib} INTERFACE_LINK_LIBRARIES)
    if(deps)
      list(TRANSFORM deps REPLACE "^LLVM$" "sn-llvm")
      set_target_properties(${lib} PROPERTIES INTERFACE_LINK_LIBRARIES "${deps}")
    endif()
  endif()
endforeach()
get_target_property(deps LLVMExtensions INTERFACE_LINK_LIBRARIES)
list(REMOVE_ITEM deps Polly)
set_target_properties(LLVMExtensions PROPERTIES INTERFACE_LINK_LIBRARIES "${deps}")

add_library(sn-mlir INTERFACE)
target_include_directories(sn-mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_link_libraries(sn-mlir INTERFACE MLIRArithDialect MLIRMathDialect MLIRFuncDialect MLIRFuncTransforms MLIRLLVMDialect
  MLIRParser MLIRPass MLIRTransforms MLIRTransformUtils)

add_library(sn-codegen INTERFACE)
target_link_libraries(sn-codegen INTERFACE sn-mlir MLIRArithToLLVM MLIRMathToLLVM MLIRReconcileUnrealizedCasts
  MLIRBuiltinToLLVMIRTranslation MLIRLLVMToLLVMIRTranslation MLIRTargetLLVMIRExport lldELF lldCommon
  LLVMX86CodeGen LLVMX86AsmParser LLVMX86Desc LLVMX86Info LLVMPasses LLVMBitWriter LLVMLTO LLVMOption LLVMDebugInfoDWARF LLVMObject)

# One precompiled header for every MLIR translation unit: 3 s instead of 11 s each.
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/sn-mlir-pch.cpp" CONTENT "// Only here to own the precompiled header.\n")
add_library(sn-mlir-pch STATIC "${PROJECT_BINARY_DIR}/sn-mlir-pch.cpp")
target_include_directories(sn-mlir-pch PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
target_link_libraries(sn-mlir-pch PRIVATE sn-mlir)
target_precompile_headers(sn-mlir-pch PRIVATE "${PROJECT_SOURCE_DIR}/cmake/MlirPch.h")
add_custom_target(sn-tablegen)
