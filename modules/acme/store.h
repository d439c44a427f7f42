// Where accounts and certificates are kept: small texts by name, each written whole or not at all. One interface, so that a
// fleet may share a store one day; files are the first. Any thread. Errors: AcmeError.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "error.h"
#include "seawall/base/fd.h"

namespace seawall::acme {

class Store {
 public:
  virtual ~Store() = default;
  virtual std::optional<std::string> read(const std::string& name) const = 0;  // nothing: there is none
  virtual void write(const std::string& name, const std::string& text) = 0;    // it is on the disk when this returns
  virtual void remove(const std::string& name) = 0;
  virtual std::vector<std::string> names() const = 0;
  // Changes when something has been written, by whomever (empty: it may just have changed); of one name, when that has.
  virtual std::string version() const = 0;
  virtual std::string version(const std::string& name) const = 0;
  // Of who may write: held until everybody in this process has let go of it; null: another process has it.
  virtual std::shared_ptr<void> try_lock() = 0;
};

// A folder of our own (0700), a file for each name (0600). What root writes belongs to the owner of the folder, who reads it.
class FileStore final : public Store {
 public:
  explicit FileStore(std::string folder) : folder_(std::move(folder)) {}
  std::optional<std::string> read(const std::string& name) const override;
  void write(const std::string& name, const std::string& text) override;
  void remove(const std::string& name) override;
  std::vector<std::string> names() const override;
  std::string version() const override;
  std::string version(const std::string& name) const override;
  std::shared_ptr<void> try_lock() override;

 private:
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void make_folder() const;
  Fd open_lock() const;
  void sync_folder() const;
  bool is_left_behind(const std::string& name) const;

  const std::string folder_;
  std::mutex mutex_;
  std::weak_ptr<void> held_;
};

}  // namespace seawall::acme
