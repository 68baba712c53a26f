// Times bundles on the machine that it runs on: interleaved rounds, every sample kept.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "json.h"
#include "model.h"
#include "options.h"
#include "system.h"

namespace {

constexpr const char* kRunner = "fa_runner 1";
constexpr int kRefused = 2;
constexpr int kAbandoned = 3;

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Subject {
  std::string folder;
  Inputs inputs;
  std::unique_ptr<Model> model;
  double load_ms = 0;
  double first_ms = 0;
  std::vector<double> samples_ms;
};

struct Measured {
  std::string runtime;
  Conditions before;
  Conditions after;
  long base_bytes = -1;
  long peak_bytes = -1;
  std::vector<double> started_s;
  std::vector<Subject> subjects;
};

double timed_run(Model& model) {
  const auto begin = Clock::now();
  model.run();
  return since(begin) * 1000;
}

void load(const Options& options, const Runtime& runtime, Subject& subject) {
  const auto begin = Clock::now();
  subject.model = std::make_unique<Model>(runtime, subject.folder, options.threads);
  subject.load_ms = since(begin) * 1000;
  subject.model->bind(subject.inputs);
  subject.first_ms = timed_run(*subject.model);
  const std::vector<float> output = subject.model->output();
  if (options.results) {
    const char* bytes = reinterpret_cast<const char*>(output.data());
    write_whole(subject.folder + "/denoised.f32",
                std::string(bytes, output.size() * sizeof(float)));
  }
}

// The order of a round: rotated by one each round, mirrored after each full turn, so that no
// subject always finds the caches and the heat of the same other one. bench/timing.py does the same.
std::vector<std::size_t> order_of(std::size_t count, std::size_t round) {
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) {
    order[i] = (i + round) % count;
  }
  if (round / count % 2 == 1) {
    std::reverse(order.begin(), order.end());
  }
  return order;
}

// The host takes the folder away when it gives up, also when it could not end this process.
bool abandoned(const Options& options) { return !folder_exists(folder_of(options.output)); }

bool race(const Options& options, Measured& found) {
  for (long i = 0; i < options.warmup; ++i) {
    for (Subject& subject : found.subjects) {
      subject.model->run();
    }
  }
  const auto begin = Clock::now();
  for (long done = 0; done < options.runs || since(begin) < static_cast<double>(options.seconds);
       ++done) {
    if (abandoned(options)) {
      return false;
    }
    found.started_s.push_back(since(begin));
    for (const std::size_t i : order_of(found.subjects.size(), static_cast<std::size_t>(done))) {
      Subject& subject = found.subjects[i];
      subject.samples_ms.push_back(timed_run(*subject.model));
    }
  }
  return true;
}

void write_conditions(Json& json, const Conditions& conditions) {
  json.open('{').key("governors").open('{');
  for (const auto& [policy, governor] : conditions.governors) {
    json.key(policy).value(governor);
  }
  json.close('}').key("zones_c").open('{');
  for (const auto& [type, celsius] : conditions.zones_c) {
    json.key(type).value(celsius);
  }
  json.close('}').close('}');
}

std::string to_json(const Options& options, const Measured& found) {
  Json json;
  json.open('{').key("schema_version").value(1L).key("runner").value(kRunner);
  json.key("abi").value(abi()).key("runtime").value(found.runtime);
  json.key("width").value(options.width).key("height").value(options.height);
  json.key("threads").value(options.threads).key("warmup").value(options.warmup);
  json.key("runs").value(options.runs).key("seconds").value(options.seconds);
  json.key("start");
  write_conditions(json, found.before);
  json.key("end");
  write_conditions(json, found.after);
  json.key("base_bytes").value(found.base_bytes).key("peak_bytes").value(found.peak_bytes);
  json.key("started_s").values(found.started_s);
  json.key("subjects").open('[');
  for (const Subject& subject : found.subjects) {
    json.open('{').key("folder").value(subject.folder);
    json.key("load_ms").value(subject.load_ms).key("first_ms").value(subject.first_ms);
    json.key("samples_ms").values(subject.samples_ms).close('}');
  }
  return json.close(']').close('}').text() + "\n";
}

int measure(const Options& options) {
  if (options.limit > 0) {
    alarm(static_cast<unsigned>(options.limit));
  }
  const Conditions before = read_conditions();
  const Runtime runtime(options.library);  // outlives the models
  Measured found;
  found.before = before;
  found.runtime = runtime.version();
  for (const std::string& folder : options.folders) {
    Subject subject;
    subject.folder = folder;
    subject.inputs = read_inputs(folder, options.width, options.height);
    found.subjects.push_back(std::move(subject));
  }
  reset_peak_memory();
  // Where the peak could not be set back it stands above the present size, and is the base.
  found.base_bytes = memory_bytes("VmHWM");
  for (Subject& subject : found.subjects) {
    load(options, runtime, subject);
  }
  if (!race(options, found)) {
    std::fprintf(stderr, "fa_runner: the folder of %s is gone\n", options.output.c_str());
    return kAbandoned;
  }
  found.peak_bytes = memory_bytes("VmHWM");
  found.after = read_conditions();
  write_whole(options.output, to_json(options, found));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::strcmp(arguments[1], "--help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  try {
    return measure(parse_options(count, arguments));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fa_runner: %s\n", error.what());
    return kRefused;
  }
}
