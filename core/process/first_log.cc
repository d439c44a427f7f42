#include "seawall/process/first_log.h"

#include <exception>
#include <iostream>

namespace seawall {

std::string first_log_path(const Options& options) {
  return options.error_log.empty() ? options.prefix + "logs/error.log" : options.error_log;
}

std::shared_ptr<LogSink> first_log(const Options& options) {
  static std::weak_ptr<LogSink> known;
  if (auto open = known.lock()) return open;
  const std::shared_ptr<LogSink> opened = [&] {
    try {
      return file_sink(first_log_path(options));
    } catch (const std::exception& error) {
      std::cerr << "nginx: [alert] could not open error log file: " << error.what() << "\n";
      return file_sink("stderr");
    }
  }();
  known = opened;
  return opened;
}

}  // namespace seawall
