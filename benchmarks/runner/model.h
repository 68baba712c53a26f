// A bundle's ONNX model, loaded and called through ONNX Runtime's C interface.
#pragma once

#include <onnxruntime_c_api.h>

#include <memory>
#include <string>
#include <vector>

// ONNX Runtime itself: one for the process. Throws std::runtime_error.
class Runtime {
 public:
  explicit Runtime(const std::string& library);
  const OrtApi& api() const { return *api_; }
  OrtEnv* environment() const { return environment_; }
  const std::string& version() const { return version_; }

 private:
  const OrtApi* api_ = nullptr;
  OrtEnv* environment_ = nullptr;  // lives as long as the process
  std::string version_;
};

// The inputs of one call, in the model's order.
struct Inputs {
  long width;
  long height;
  std::vector<float> raw;
  std::vector<float> scalars;
};

// Reads raw.f32 and scalars.f32 of a folder. Throws std::runtime_error.
Inputs read_inputs(const std::string& folder, long width, long height);

class Model {
 public:
  // Loads folder/model.onnx. Throws std::runtime_error.
  Model(const Runtime& runtime, const std::string& folder, long threads);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Sets what every call gets; throws where the model wants another number of inputs.
  void bind(Inputs& inputs);

  // One call of the whole program.
  void run();

  // The last call's output; throws where its shape is not the input's or a value is not finite.
  std::vector<float> output() const;

 private:
  void release_output();
  OrtValue* tensor(const OrtMemoryInfo* place, std::vector<float>& data, std::size_t offset,
                   const std::vector<int64_t>& shape) const;

  const Runtime& runtime_;
  OrtSession* session_ = nullptr;
  std::vector<std::string> input_names_;
  std::string output_name_;
  std::vector<OrtValue*> inputs_;
  std::vector<int64_t> shape_;
  OrtValue* output_ = nullptr;
};
