#include "flame.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "seawall/base/text.h"

namespace seawall::profile {
namespace {

constexpr double kWidth = 1200, kRow = 17, kLetter = 6.6, kNarrowest = 0.4;
constexpr int kTop = 34;

class Frame {
 public:
  std::int64_t value = 0;
  std::map<std::string, std::unique_ptr<Frame>> inner;
  Frame& of(const std::string& name) {
    auto& frame = inner[name];
    if (!frame) frame = std::make_unique<Frame>();
    return *frame;
  }
};

void add(Frame& root, const Stack& stack, std::int64_t value, Symbols& symbols, std::map<std::uintptr_t, std::string>& names) {
  Frame* at = &root;
  at->value += value;
  const auto enter = [&](const std::string& name) { (at = &at->of(name))->value += value; };
  for (auto address = stack.addresses.rbegin(); address != stack.addresses.rend(); ++address) {
    const auto [known, added] = names.try_emplace(*address);
    if (added) known->second = symbols.name_of(*address);
    enter(known->second);
  }
  for (auto name = stack.names.rbegin(); name != stack.names.rend(); ++name) enter(*name);
}

// "1.25 s", "3.40 ms", "3.0 MiB", "17".
std::string amount(std::int64_t value, std::string_view unit) {
  char text[32];
  const auto number = static_cast<double>(value);
  if (unit == "nanoseconds" && value < 1'000'000'000) std::snprintf(text, sizeof text, "%.2f ms", number / 1e6);
  else if (unit == "nanoseconds") std::snprintf(text, sizeof text, "%.2f s", number / 1e9);
  else if (unit == "bytes") std::snprintf(text, sizeof text, "%.1f MiB", number / (1 << 20));
  else std::snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  return text;
}

// What a reader knows a function by, where there is no room for all of its name.
std::string short_name(std::string name, std::size_t letters) {
  if (name.size() > letters) name = name.substr(0, name.find('('));
  if (name.size() > letters) name = name.substr(name.size() - letters);
  return name;
}

class Picture {
 public:
  Picture(const Frame& root, std::string_view unit) : total_(root.value), unit_(unit) {}
  void draw(const Frame& frame, double left, int row) {
    deepest = std::max(deepest, row);
    for (const auto& [name, inner] : frame.inner) {
      const double width = kWidth * static_cast<double>(inner->value) / static_cast<double>(total_);
      if (width >= kNarrowest) {
        draw_one(name, inner->value, left, width, row);
        draw(*inner, left, row + 1);
      }
      left += width;
    }
  }
  std::string text;
  int deepest = 0;

 private:
  void draw_one(const std::string& name, std::int64_t value, double left, double width, int row) {
    std::uint32_t hash = 2166136261u;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    char head[256];
    std::snprintf(head, sizeof head, "<g><rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\" fill=\"hsl(%u,70%%,%u%%)\"/><title>", left,
                  kTop + row * kRow, std::max(width - 0.5, 0.2), kRow - 1, 12 + hash % 40, 62 + hash / 64 % 12);
    char share[32];
    std::snprintf(share, sizeof share, ", %.1f%%)", 100 * static_cast<double>(value) / static_cast<double>(total_));
    text.append(head).append(escape_html(name)).append(" (").append(amount(value, unit_)).append(share).append("</title>");
    const auto letters = static_cast<std::size_t>(width / kLetter);
    if (letters >= 3) {
      std::snprintf(head, sizeof head, "<text x=\"%.1f\" y=\"%.0f\">", left + 2, kTop + row * kRow + 12);
      text.append(head).append(escape_html(short_name(name, letters))).append("</text>");
    }
    text += "</g>\n";
  }
  const std::int64_t total_;
  const std::string_view unit_;
};

}  // namespace

std::string flame_graph_of(const ProfileData& data, Symbols& symbols, const std::string& title) {
  Frame root;
  std::map<std::uintptr_t, std::string> names;
  for (const Stack& stack : data.stacks) {
    const std::int64_t value = stack.values[data.shown];
    if (value > 0) add(root, stack, value, symbols, names);
  }
  const char* const unit = data.types[data.shown].unit;
  Picture picture(root, unit);
  if (root.value > 0) picture.draw(root, 0, 0);
  const std::string height = std::to_string(kTop + (picture.deepest + 1) * static_cast<int>(kRow));
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1200 " + height + "\" font-family=\"monospace\" font-size=\"11\">\n" +
         "<rect width=\"1200\" height=\"" + height + "\" fill=\"#fff\"/>\n<text x=\"4\" y=\"20\" font-size=\"14\">" + escape_html(title) + ": " +
         amount(root.value, unit) + "</text>\n" + picture.text + "</svg>\n";
}

}  // namespace seawall::profile
