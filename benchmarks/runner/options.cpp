#include "options.h"

#include <cerrno>
#include <cstdlib>
#include <map>
#include <stdexcept>

const char kUsage[] =
    "usage: fa_runner --library FILE --output FILE --width W --height H [--threads N]\n"
    "                 [--warmup N] [--runs N] [--seconds S] [--limit S] [--results] FOLDER...\n"
    "Times the model of each FOLDER in interleaved rounds and writes every sample as JSON.\n"
    "A FOLDER holds model.onnx, raw.f32 (W x H float32) and scalars.f32 (the other inputs).\n"
    "--results writes what the first call returned to FOLDER/denoised.f32.\n"
    "--limit ends the process after that many seconds, whatever it does.\n";

namespace {

struct Number {
  long* place;
  long least;
  long most;
};

long parse_number(const std::string& name, const std::string& text, const Number& allowed) {
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno != 0 || value < allowed.least ||
      value > allowed.most) {
    throw std::runtime_error(name + " " + text + " was given; allowed are " +
                             std::to_string(allowed.least) + " to " +
                             std::to_string(allowed.most));
  }
  return value;
}

}  // namespace

Options parse_options(int count, char** arguments) {
  Options found;
  const std::map<std::string, std::string*> texts = {{"--library", &found.library},
                                                     {"--output", &found.output}};
  const std::map<std::string, Number> numbers = {
      {"--width", {&found.width, 1, 65536}},      {"--height", {&found.height, 1, 65536}},
      {"--threads", {&found.threads, 0, 1024}},   {"--warmup", {&found.warmup, 0, 100000}},
      {"--runs", {&found.runs, 0, 1000000}},      {"--seconds", {&found.seconds, 0, 86400}},
      {"--limit", {&found.limit, 0, 86400}},
  };
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    if (name == "--results") {
      found.results = true;
    } else if (name.rfind("--", 0) != 0) {
      found.folders.push_back(name);
    } else {
      const auto text = texts.find(name);
      const auto number = numbers.find(name);
      if (text == texts.end() && number == numbers.end()) {
        throw std::runtime_error(name + " is no option");
      }
      if (i + 1 == count) {
        throw std::runtime_error(name + " needs a value");
      }
      const std::string value = arguments[++i];
      if (text != texts.end()) {
        *text->second = value;
      } else {
        *number->second.place = parse_number(name, value, number->second);
      }
    }
  }
  if (found.library.empty() || found.output.empty() || found.width == 0 || found.height == 0 ||
      found.folders.empty()) {
    throw std::runtime_error("--library, --output, --width, --height and a FOLDER are needed");
  }
  return found;
}
