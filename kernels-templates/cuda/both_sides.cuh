// Functions that device code shares with the runtime: NVRTC takes none without an execution space, a host compiler
// knows of none.
#pragma once

#ifdef __CUDACC_RTC__
#define SN_BOTH_SIDES __device__
#else
#define SN_BOTH_SIDES
#endif
