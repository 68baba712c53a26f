// What Linux tells of the machine without any privilege; what it does not tell is left out.
#pragma once

#include <map>
#include <string>

struct Conditions {
  std::map<std::string, std::string> governors;  // by cpufreq policy, one for each cluster
  std::map<std::string, double> zones_c;         // hottest zone of each type, degrees Celsius
};

Conditions read_conditions();

// Bytes of a field of /proc/self/status (VmRSS, VmHWM); -1 where it is not listed.
long memory_bytes(const std::string& field);

// Sets VmHWM back to the present size where the kernel allows it.
void reset_peak_memory();

bool folder_exists(const std::string& path);

// The folder of a file's path.
std::string folder_of(const std::string& path);

const char* abi();
