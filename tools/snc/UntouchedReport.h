// snc explain: what becomes of the rows of sparse inputs' matrices that a batch does not touch.
#pragma once
#include "runtime/exec/Settings.h"
#include "runtime/plan/Untouched.h"

/// On the CPU, or on the device named: a GPU puts nothing off. Adds what is put off to the cost model.
std::vector<sn::plan::UntouchedRows> untouchedOn(const sn::plan::Plan &plan, const sn::rt::Settings &settings,
                                                 sn::plan::CostModel &model, const std::string &device,
                                                 const std::function<bool(const std::string &)> &sparse);
void printUntouched(const std::vector<sn::plan::UntouchedRows> &all);
nlohmann::json untouchedJson(const std::vector<sn::plan::UntouchedRows> &all);
