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
  double rows = 0;      // examples of the data
  double dataBytes = 0; // of the data sets, resident

  double batches() const;
  sn::plan::Roofline step(const sn::plan::Entry &entry) const { return rooflineOf(plan, entry, model, machine); }
};
/// What explain --json has as "prediction".
nlohmann::json predictionJson(const Prediction &prediction);
void printPrediction(const Prediction &prediction);
