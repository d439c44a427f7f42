// What systemd is told (sd_notify(3)) and asks for; nothing happens where it did not start us. Supervisor thread.
#pragma once
#include <chrono>
#include <optional>
#include <string>

namespace seawall {

// Lines "NAME=value" to NOTIFY_SOCKET; waits for at most a second. What cannot be sent is said in the log.
void notify_manager(const std::string& state);
// "WATCHDOG=1"; does not wait, and does without where the manager has not read the ones before.
void notify_alive();
// "RELOADING=1" with the time it wants.
void notify_reloading();
// While it lives the manager waits ten minutes for WATCHDOG=1 instead of twice `interval`: a reload may have to wait for names and
// for a busy machine.
class PatientManager {
 public:
  explicit PatientManager(std::optional<std::chrono::microseconds> interval);
  ~PatientManager();
  PatientManager(const PatientManager&) = delete;
  PatientManager& operator=(const PatientManager&) = delete;

 private:
  const std::optional<std::chrono::microseconds> interval_;
};
// How often it wants WATCHDOG=1: half of what it would wait.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace seawall
