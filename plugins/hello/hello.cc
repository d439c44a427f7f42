// hello: a module outside Seawall's tree. `hello "Hello, $arg_name!";` answers a location's GET and HEAD requests with that
// text. On the loop of the request; settings are read by every loop.
#include <seawall/module/module.h>

namespace hello {

using namespace seawall;

// What the directive says, for each block that says it; other blocks take the outer one's.
struct Conf {
  Setting<Template> text;
};

// Decides at load whether the step is part of a location's plan: where nobody wrote `hello`, it costs nothing.
bool active(const Conf& conf) { return !conf.text->empty(); }

// A step answers, or says Next and leaves the request to others. One that has to wait returns Task<Outcome> and awaits.
Outcome greet(Exchange& x, const Conf& conf) {
  if (x.method != Method::get && x.method != Method::head) return Response(405);
  Response response(200, Slice::from(conf.text->eval(x) + "\n"));
  response.headers.set("Content-Type", "text/plain");
  return response;
}

struct Hello {
  using Conf = hello::Conf;
  static constexpr const char* name = "hello";
  static constexpr const char* summary = "greets who asks";
  static inline const Directive directives[] = {
      value<Conf>("hello", kAllHttp, &Conf::text, "What a request is answered with; may hold variables."),
  };
  static constexpr Step steps[] = {step<Conf, active, greet>(Phase::content)};
};

}  // namespace hello

using hello::Hello;
SEAWALL_MODULE(Hello)
