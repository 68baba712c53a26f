#include "json.h"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>

void Json::separate() {
  if (!first_) {
    text_ += ',';
  }
  first_ = false;
}

void Json::quote(const std::string& text) {
  text_ += '"';
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += static_cast<char>(c);
    } else if (c >= 0x20 && c < 0x7f) {
      text_ += static_cast<char>(c);
    } else {
      text_ += '?';  // names of zones and governors are ASCII; JSON must stay valid if not
    }
  }
  text_ += '"';
}

Json& Json::open(char bracket) {
  separate();
  text_ += bracket;
  first_ = true;
  return *this;
}

Json& Json::close(char bracket) {
  text_ += bracket;
  first_ = false;
  return *this;
}

Json& Json::key(const std::string& name) {
  separate();
  quote(name);
  text_ += ':';
  first_ = true;
  return *this;
}

Json& Json::value(const std::string& text) {
  separate();
  quote(text);
  return *this;
}

Json& Json::value(double number) {
  separate();
  char digits[40] = "null";
  if (std::isfinite(number)) {
    std::snprintf(digits, sizeof digits, "%.9g", number);
  }
  text_ += digits;
  return *this;
}

Json& Json::value(long number) {
  separate();
  text_ += std::to_string(number);
  return *this;
}

Json& Json::values(const std::vector<double>& numbers) {
  open('[');
  for (const double number : numbers) {
    value(number);
  }
  return close(']');
}

void write_whole(const std::string& path, const std::string& data) {
  const std::string partial = path + ".partial";
  std::FILE* file = std::fopen(partial.c_str(), "wb");
  bool written = false;
  int code = errno;
  if (file != nullptr) {
    written = std::fwrite(data.data(), 1, data.size(), file) == data.size() &&
              std::fflush(file) == 0 && fsync(fileno(file)) == 0;
    code = errno;
    written = std::fclose(file) == 0 && written;
  }
  if (!written || std::rename(partial.c_str(), path.c_str()) != 0) {
    code = written ? errno : code;
    std::remove(partial.c_str());
    throw std::runtime_error("cannot write " + path + ": " + std::strerror(code));
  }
}
