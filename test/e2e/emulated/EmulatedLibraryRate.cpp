// sn-gpu-library over the emulated driver and the stand-in for cuBLASLt.
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/EmulatedLibrary.h"
#include "tools/gpu/LibraryRate.h"

int main(int argc, char **argv) {
  return sn::gpu::runLibraryRates(sn::emulator::driverApi(), sn::emulator::openLibrary, argc, argv);
}
