#include "model.h"

#include <dlfcn.h>

#include <cmath>
#include <fstream>
#include <stdexcept>

namespace {

// Everything called here has been in the interface since this version: older headers and
// libraries than those it was built with will do.
constexpr uint32_t kApiVersion = 16;
constexpr int kFatalOnly = 4;

void check(const OrtApi& api, OrtStatus* status, const std::string& what) {
  if (status == nullptr) {
    return;
  }
  const std::string message = api.GetErrorMessage(status);
  api.ReleaseStatus(status);
  throw std::runtime_error(what + ": " + message);
}

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    throw std::runtime_error(path + " cannot be read");
  }
  const std::streamoff bytes = file.tellg();
  if (bytes % static_cast<std::streamoff>(sizeof(float)) != 0) {
    throw std::runtime_error(path + " holds no whole number of float32");
  }
  std::vector<float> found(static_cast<std::size_t>(bytes) / sizeof(float));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(found.data()), bytes)) {
    throw std::runtime_error(path + " cannot be read");
  }
  return found;
}

}  // namespace

Runtime::Runtime(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    throw std::runtime_error("ONNX Runtime cannot be opened: " +
                             std::string(reason == nullptr ? library : reason));
  }
  using GetBase = const OrtApiBase* (*)();
  const auto base = reinterpret_cast<GetBase>(dlsym(handle, "OrtGetApiBase"));
  if (base == nullptr) {
    throw std::runtime_error(library + " is not ONNX Runtime");
  }
  version_ = base()->GetVersionString();
  api_ = base()->GetApi(kApiVersion);
  if (api_ == nullptr) {
    throw std::runtime_error("ONNX Runtime " + version_ + " is too old; 1." +
                             std::to_string(kApiVersion) + " or newer is needed");
  }
  check(*api_, api_->CreateEnv(static_cast<OrtLoggingLevel>(kFatalOnly), "fa_runner",
                               &environment_),
        "ONNX Runtime");
}

Inputs read_inputs(const std::string& folder, long width, long height) {
  Inputs found{width, height, read_floats(folder + "/raw.f32"),
               read_floats(folder + "/scalars.f32")};
  if (found.raw.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {
    throw std::runtime_error(folder + "/raw.f32 holds " + std::to_string(found.raw.size()) +
                             " float32; wanted are width x height");
  }
  return found;
}

Model::Model(const Runtime& runtime, const std::string& folder, long threads)
    : runtime_(runtime) {
  const OrtApi& api = runtime.api();
  const std::string path = folder + "/model.onnx";
  OrtSessionOptions* options = nullptr;
  check(api, api.CreateSessionOptions(&options), path);
  check(api, api.SetIntraOpNumThreads(options, static_cast<int>(threads)), path);
  check(api, api.SetSessionLogSeverityLevel(options, kFatalOnly), path);
  OrtStatus* made = api.CreateSession(runtime.environment(), path.c_str(), options, &session_);
  api.ReleaseSessionOptions(options);
  check(api, made, path);
  OrtAllocator* allocator = nullptr;
  check(api, api.GetAllocatorWithDefaultOptions(&allocator), path);
  std::size_t count = 0;
  check(api, api.SessionGetInputCount(session_, &count), path);
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    check(api, api.SessionGetInputName(session_, i, allocator, &name), path);
    input_names_.emplace_back(name);
    check(api, api.AllocatorFree(allocator, name), path);
  }
  char* name = nullptr;
  check(api, api.SessionGetOutputName(session_, 0, allocator, &name), path);
  output_name_ = name;
  check(api, api.AllocatorFree(allocator, name), path);
}

Model::~Model() {
  const OrtApi& api = runtime_.api();
  release_output();
  for (OrtValue* value : inputs_) {
    api.ReleaseValue(value);
  }
  api.ReleaseSession(session_);
}

OrtValue* Model::tensor(const OrtMemoryInfo* place, std::vector<float>& data, std::size_t offset,
                        const std::vector<int64_t>& shape) const {
  std::size_t count = 1;
  for (const int64_t size : shape) {
    count *= static_cast<std::size_t>(size);
  }
  OrtValue* made = nullptr;
  check(runtime_.api(),
        runtime_.api().CreateTensorWithDataAsOrtValue(
            place, data.data() + offset, count * sizeof(float), shape.data(), shape.size(),
            ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &made),
        "input");
  return made;
}

void Model::bind(Inputs& inputs) {
  if (input_names_.size() != 1 + inputs.scalars.size()) {
    throw std::runtime_error("the model has " + std::to_string(input_names_.size()) +
                             " inputs; 1 and " + std::to_string(inputs.scalars.size()) +
                             " scalars were given");
  }
  const OrtApi& api = runtime_.api();
  OrtMemoryInfo* place = nullptr;
  check(api, api.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &place), "memory");
  shape_ = {1, 1, inputs.height, inputs.width};
  inputs_.push_back(tensor(place, inputs.raw, 0, shape_));
  for (std::size_t i = 0; i < inputs.scalars.size(); ++i) {
    inputs_.push_back(tensor(place, inputs.scalars, i, {1}));
  }
  api.ReleaseMemoryInfo(place);
}

void Model::release_output() {
  if (output_ != nullptr) {
    runtime_.api().ReleaseValue(output_);
    output_ = nullptr;
  }
}

void Model::run() {
  release_output();
  std::vector<const char*> names;
  for (const std::string& name : input_names_) {
    names.push_back(name.c_str());
  }
  const char* output = output_name_.c_str();
  check(runtime_.api(),
        runtime_.api().Run(session_, nullptr, names.data(), inputs_.data(), inputs_.size(),
                           &output, 1, &output_),
        "the model failed");
}

std::vector<float> Model::output() const {
  const OrtApi& api = runtime_.api();
  OrtTensorTypeAndShapeInfo* facts = nullptr;
  check(api, api.GetTensorTypeAndShape(output_, &facts), "output");
  std::size_t rank = 0;
  check(api, api.GetDimensionsCount(facts, &rank), "output");
  std::vector<int64_t> shape(rank);
  check(api, api.GetDimensions(facts, shape.data(), rank), "output");
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  check(api, api.GetTensorElementType(facts, &type), "output");
  api.ReleaseTensorTypeAndShapeInfo(facts);
  if (shape != shape_ || type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
    throw std::runtime_error("the output is not float32 of the input's shape");
  }
  void* data = nullptr;
  check(api, api.GetTensorMutableData(output_, &data), "output");
  const float* values = static_cast<const float*>(data);
  std::vector<float> found(values, values + shape[2] * shape[3]);
  for (const float value : found) {
    if (!std::isfinite(value)) {
      throw std::runtime_error("the output is not finite");
    }
  }
  return found;
}
