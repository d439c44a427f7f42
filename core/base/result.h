// A value or the reason why there is none; std::expected's member names, so that it can be swapped for it later.
// Any thread.
#pragma once
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "seawall/base/error.h"

namespace seawall {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}                // NOLINT(implicit)
  Result(std::error_code error) : state_(std::in_place_index<1>, error) {}             // NOLINT(implicit)
  Result(Errc error) : state_(std::in_place_index<1>, make_error_code(error)) {}       // NOLINT(implicit)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() & { return std::get<0>(state_); }
  T&& operator*() && { return std::move(std::get<0>(state_)); }
  const T& operator*() const& { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  std::error_code error() const { return has_value() ? std::error_code{} : std::get<1>(state_); }

 private:
  std::variant<T, std::error_code> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(std::error_code error) : error_(error) {}         // NOLINT(implicit)
  Result(Errc error) : error_(make_error_code(error)) {}   // NOLINT(implicit)

  bool has_value() const { return !error_; }
  explicit operator bool() const { return !error_; }
  std::error_code error() const { return error_; }

 private:
  std::error_code error_;
};

}  // namespace seawall
