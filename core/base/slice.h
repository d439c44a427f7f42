// Slice: shared read-only bytes with an owner; copying one copies a pointer and counts. Block: the piece of memory that
// owns the bytes. Any thread (the count is atomic); the bytes never change once a Slice shows them.
//
//   Slice a = Slice::literal("ok");            // bytes that live forever
//   Slice b = Slice::from(std::move(string));  // takes the string
//   Slice c = b.sub(2, 3);                     // shares b's owner
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "seawall/base/export.h"

namespace seawall {

// Reference-counted base of everything that can own a Slice's bytes.
class SEAWALL_API Owner {
 public:
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  void add_ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop_ref() {
    if (refs_.load(std::memory_order_acquire) == 1 || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) dispose();
  }
  bool shared() const { return refs_.load(std::memory_order_acquire) > 1; }

 protected:
  Owner() = default;
  virtual ~Owner() = default;
  virtual void dispose() { delete this; }

 private:
  std::atomic<std::uint32_t> refs_{1};
};

// An intrusive pointer to an Owner (or a class derived from it).
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* adopted) : p_(adopted) {}  // takes over the reference that `new` made
  Ref(const Ref& o) : p_(o.p_) { if (p_) p_->add_ref(); }
  template <class U> requires std::is_convertible_v<U*, T*>
  Ref(const Ref<U>& o) : p_(o.get()) { if (p_) p_->add_ref(); }  // NOLINT(implicit)
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept { std::swap(p_, o.p_); return *this; }
  ~Ref() { if (p_) p_->drop_ref(); }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  T* p_ = nullptr;
};

class SEAWALL_API Slice {
 public:
  Slice() = default;
  Slice(Ref<Owner> owner, std::string_view bytes) : owner_(std::move(owner)), bytes_(bytes) {}
  static Slice literal(std::string_view forever) { return Slice({}, forever); }
  static Slice from(std::string text);
  static Slice copy(std::string_view bytes) { return from(std::string(bytes)); }

  std::string_view view() const { return bytes_; }
  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  Slice sub(std::size_t offset, std::size_t length = std::string_view::npos) const {
    return Slice(owner_, bytes_.substr(offset, length));
  }

 private:
  Ref<Owner> owner_;
  std::string_view bytes_;
};

}  // namespace seawall
