// snc explain --device: what a plan takes on a GPU of which the data sheet is known.
#pragma once
#include "runtime/plan/CostRoofline.h"
#include <nlohmann/json.hpp>
#include <string>

/// `plan` outlives it; the model is that of the batch at hand.
struct Prediction {
  const sn::plan::Plan &plan;
  const sn::plan::CostModel &model;
  const sn::plan::Machine &machine;
  sn::plan::Precision precision;
  double rows = 0;      // examples of the data
  double dataBytes = 0; // of the data sets, resident

  double batches() const;
  sn::plan::Roofline step(const sn::plan::Entry &entry) const {
    return rooflineOf(plan, entry, model, machine, precision);
  }
};
/// The precision by its name, which CLI11 has checked. UserError if the machine has no such units.
sn::plan::Precision precisionOf(const std::string &name, const sn::plan::Machine &machine);
/// What explain --json has as "prediction".
nlohmann::json predictionJson(const Prediction &prediction);
void printPrediction(const Prediction &prediction);
