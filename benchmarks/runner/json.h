// Writing JSON: a few values, one writer, a file that is whole or absent.
#pragma once

#include <string>
#include <vector>

// Keeps count of commas; keys and values come in the order of the calls.
class Json {
 public:
  Json& open(char bracket);
  Json& close(char bracket);
  Json& key(const std::string& name);
  Json& value(const std::string& text);
  Json& value(double number);  // null where it is not finite
  Json& value(long number);
  Json& values(const std::vector<double>& numbers);
  const std::string& text() const { return text_; }

 private:
  void separate();
  void quote(const std::string& text);

  std::string text_;
  bool first_ = true;
};

// Writes beside `path` and renames. Throws std::runtime_error.
void write_whole(const std::string& path, const std::string& data);
