// snrt train: forward, backward and update, epoch by epoch, to a weights file.
#include "tools/snrt/TrainingRun.h"

namespace sn::snrt {
void addTrainCommand(CLI::App &app) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App *command = app.add_subcommand("train", "Train a network");
  command->add_option("plan", options->plan, "Plan file written by snc compile")->required();
  command->add_option("data", options->data, "Data file with the inputs and targets")->required();
  command->add_option("-o,--output", options->out, "Weights file to write (default: NET.weights.h5 beside NET.plan)");
  auto *from = command->add_option("--from", options->from,
                                   "Start from these weights instead of random ones or the network's WeightsData");
  command
      ->add_option("--resume", options->resume,
                   "Go on where this weights file stopped, with its settings; it is also what is written")
      ->excludes(from);
  command->add_option("--checkpoint-every", options->checkpointEvery,
                      "Write the weights file every so many epochs (3), or so often: 30s, 10m, 1.5h");
  command->add_option("--validation", options->validation, "Measure the loss on this data file after every epoch");
  auto *truth = command->add_option("--truth", options->heldOut.truth,
                                    "Measure after every epoch how much of this held-out data file the lists find");
  command
      ->add_option("--exclude", options->heldOut.exclude,
                   "With --truth: leave the entries of this data set out of the lists, as in --exclude input")
      ->needs(truth);
  command
      ->add_option("--layer", options->heldOut.layer,
                   "With --truth: the layer to rank (default: the one named Output, or the only one)")
      ->needs(truth);
  command->add_option("--at", options->heldOut.at, "With --truth: list lengths")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->needs(truth);
  command->add_flag("--force", options->force, "Overwrite the weights file");
  addTrainingOptions(*command, options->overrides);
  addRunOptions(*command, options->run);
  command->footer("Example: snrt train ae.plan data.h5 --epochs 10 --batch 256 --alpha 0.002\n"
                  "Writes ae.weights.h5, and what happened to metrics.jsonl beside it. Ctrl-C finishes the step and "
                  "saves;\n"
                  "         snrt train ae.plan data.h5 --resume ae.weights.h5\n"
                  "goes on from there, and ends with the same bytes as a run that was never interrupted.");
  command->callback([options] {
    if (int status = TrainingRun(*options).run())
      throw CLI::RuntimeError(status);
  });
}
} // namespace sn::snrt
