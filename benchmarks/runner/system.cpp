#include "system.h"

#include <dirent.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace {

constexpr double kMostCelsius = 200;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<std::string> entries(const std::string& folder, const std::string& prefix) {
  std::vector<std::string> found;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) {
    return found;
  }
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.rfind(prefix, 0) == 0) {
      found.push_back(name);
    }
  }
  closedir(directory);
  return found;
}

}  // namespace

Conditions read_conditions() {
  Conditions found;
  const std::string policies = "/sys/devices/system/cpu/cpufreq";
  for (const std::string& name : entries(policies, "policy")) {
    const std::string governor = first_line(policies + "/" + name + "/scaling_governor");
    if (!governor.empty()) {
      found.governors[name] = governor;
    }
  }
  const std::string zones = "/sys/class/thermal";
  for (const std::string& name : entries(zones, "thermal_zone")) {
    const std::string type = first_line(zones + "/" + name + "/type");
    const std::string text = first_line(zones + "/" + name + "/temp");
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    // Thousandths of a degree, but some vendors' drivers give degrees. What is switched off reads
    // as zero, as absolute zero or as a register's end.
    const double celsius = std::abs(number) < kMostCelsius ? number : number / 1000;
    if (type.empty() || text.empty() || *end != '\0' || number == 0 || celsius <= -40 ||
        celsius >= kMostCelsius) {
      continue;
    }
    const auto known = found.zones_c.find(type);
    if (known == found.zones_c.end() || known->second < celsius) {
      found.zones_c[type] = celsius;
    }
  }
  return found;
}

long memory_bytes(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(field + ":", 0) == 0) {
      return std::strtol(line.c_str() + field.size() + 1, nullptr, 10) * 1024;
    }
  }
  return -1;
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

bool folder_exists(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

const char* abi() {
#if defined(__aarch64__)
  return "arm64-v8a";
#elif defined(__arm__)
  return "armeabi-v7a";
#elif defined(__x86_64__)
  return "x86_64";
#elif defined(__i386__)
  return "x86";
#else
  return "unknown";
#endif
}
