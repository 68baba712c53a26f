// What the command line asks for.
#pragma once

#include <string>
#include <vector>

struct Options {
  std::string library;  // ONNX Runtime's shared library
  std::string output;   // where the measurements go, as JSON
  std::vector<std::string> folders;
  long width = 0;
  long height = 0;
  long threads = 0;  // 0: the runtime's choice
  long warmup = 1;   // rounds before, not kept
  long runs = 15;    // rounds at least
  long seconds = 0;  // rounds go on until these are over
  long limit = 0;    // seconds after which the process ends itself; 0: never
  bool results = false;
};

extern const char kUsage[];

// Throws std::runtime_error that names what is wrong.
Options parse_options(int count, char** arguments);
