// The empty_gif module: one transparent pixel. Any loop.
#include "seawall/http/date.h"
#include "seawall/module/module.h"

namespace seawall::empty_gif {

class Conf {
 public:
  // The location that wrote it: locations inside it share its Conf, but not its handler.
  const Settings* location = nullptr;
};

namespace {

// GIF89a (its specification's terms): one pixel of a palette of two colours, the first of which is transparent.
constexpr std::string_view kGif(
    "GIF89a"
    "\x01\x00\x01\x00"                  // logical screen: 1 x 1
    "\x80\x01\x00"                      // global table of two colours, background colour 1, no aspect ratio
    "\x00\x00\x00\xff\xff\xff"          // black, white
    "\x21\xf9\x04\x01\x00\x00\x00\x00"  // graphic control extension: colour 0 is transparent
    "\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00"  // image descriptor: at 0, 0; 1 x 1
    "\x02\x02\x4c\x01\x00"              // the pixel, in LZW
    "\x3b",
    43);
// 28 September 1970, 06:00: any date that stays the same, here nginx's.
constexpr std::int64_t kModified = 23349600;

bool active(const Conf& conf) { return conf.location != nullptr; }

Outcome serve(Exchange& x, const Conf& conf) {
  if (!x.location->holds(conf.location)) return Next{};
  if (x.method != Method::get && x.method != Method::head) return Response(405);
  Response response(200, Slice::literal(kGif));
  response.headers.add_view("Content-Type", "image/gif", FieldId::content_type);
  response.last_modified = kModified;
  return response;
}

void write(Conf& conf, const Invocation& in) { conf.location = &in.settings; }

}  // namespace

class EmptyGif {
 public:
  using Conf = empty_gif::Conf;
  static constexpr const char* name = "empty_gif";
  static constexpr const char* summary = "a GIF of one transparent pixel";
  static inline const Directive directives[] = {
      custom<Conf>("empty_gif", kLocation, 0, 0, "", write, "Answers with a GIF of one transparent pixel."),
  };
  static constexpr Step steps[] = {step<Conf, active, serve>(Phase::content)};
};

}  // namespace seawall::empty_gif

using seawall::empty_gif::EmptyGif;
SEAWALL_MODULE(EmptyGif)
