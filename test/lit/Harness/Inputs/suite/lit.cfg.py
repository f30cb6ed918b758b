import os

import lit.formats

config.name = "harness"
config.test_format = lit.formats.ShTest()
config.suffixes = [".test"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(os.environ["SN_LIT_OUT"], "harness")
config.environment["PATH"] = os.environ["PATH"]
