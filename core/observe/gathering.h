// Gathering: what the server can say about itself in numbers, when somebody asks: families of samples with labels, as
// Prometheus and OpenMetrics have them. Whoever counts something adds it in a collect function (module.h; sources.h).
// Made for one answer, on one thread.
#pragma once
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

class Label {
 public:
  std::string_view name;  // of a literal
  std::string value;
};

class Sample {
 public:
  std::vector<Label> labels;
  double value = 0;                    // of a histogram the sum
  std::vector<std::uint64_t> buckets;  // of a histogram: how many were at most each bound, and how many there were
};

class SEAWALL_API Family {
 public:
  std::string name;              // without "_total"
  std::string help;
  MetricType type = MetricType::gauge;
  std::span<const double> bounds;  // of a histogram: upper bounds, without the infinite one
  std::deque<Sample> samples;

  void add(double value, std::initializer_list<Label> labels = {});
};

class SEAWALL_API Gathering {
 public:
  // The family of that name; asked for twice, the same. `help` is one sentence.
  Family& counter(std::string_view name, std::string_view help) { return family(name, help, MetricType::counter); }
  Family& gauge(std::string_view name, std::string_view help) { return family(name, help, MetricType::gauge); }
  Family& histogram(std::string_view name, std::string_view help, std::span<const double> bounds);

  const std::deque<Family>& families() const { return families_; }
  // Null: nobody has said anything of it.
  const Family* find(std::string_view name) const;

 private:
  Family& family(std::string_view name, std::string_view help, MetricType type);
  std::deque<Family> families_;
};

}  // namespace seawall
