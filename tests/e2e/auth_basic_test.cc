// auth_basic: users, their passwords in all forms, and what is said of wrong ones.
#include <poll.h>
#include <unistd.h>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;

namespace {

// The password of each is "secret", but of long.
const char* const kUsers =
    "# a comment: not a user\n"
    "des:abNANd1rDfiNc\n"
    "md5:$1$saltsalt$9xy1btjgzLYfb7hivXtC//\n"
    "sha256:$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2\n"
    "sha512:$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/\n"
    "bcrypt:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW:a comment\n"
    "yescrypt:$y$j75$saltsalt$0gBD67sgmJgRX3RZ6wHHO7sHimQEWGCWN85o4Twogh2\r\n"
    "apr1:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n"
    "long:$apr1$x$j3po91iAtkPzviV222MmY/\n"
    "sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
    "ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0\n"
    "plain:{PLAIN}secret\n"
    "broken1:$1$\nbroken2:$apr1$\nbroken3:{SSHA}Zm9vCg==\nbroken4:{SHA}\nbroken5:*0\nbroken6:\nbroken7:secret\n"
    "last:{PLAIN}secret";

std::string base64(std::string_view text) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, text.size() - i);
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < n ? static_cast<unsigned char>(text[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out.push_back(k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
  }
  return out;
}

std::string basic(const std::string& user_and_password) { return "Authorization: Basic " + base64(user_and_password); }

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; http2 on; root %%DIR%%/www; ");
  return text.append(inside).append(" }");
}

const char* const kAsks = "auth_basic \"closed site\"; auth_basic_user_file %%DIR%%/users;";

// A server that asks; its one page says who is served.
class Closed {
 public:
  explicit Closed(std::string_view inside = kAsks) : s(server(inside), {{"users", kUsers}, {"www/index.html", "in"}}) {}
  int status(const std::string& credentials) const { return get(s.url(), {basic(credentials)}).status; }
  Server s;
};

}  // namespace

TEST_CASE("without a password the answer is 401 and names the realm") {
  Closed c;
  const Response r = get(c.s.url());
  CHECK(r.status == 401);
  CHECK(r.header("WWW-Authenticate") == "Basic realm=\"closed site\"");
  CHECK(r.body.find("401 Authorization Required") != std::string::npos);
  CHECK(c.s.wait_for_log("\\[info\\] .*no user/password was provided for basic authentication, client: "));
  for (const char* field : {"Authorization: Bearer x", "Authorization: Basic", "Authorization: Basic %%", "Authorization: Basic dXNlcg==",
                            "Authorization: Basic OnNlY3JldA=="})
    CHECK(get(c.s.url(), {field}).status == 401);
}

TEST_CASE("two passwords are one too many") {
  Closed c;
  CHECK(get(c.s.url(), {basic("plain:secret"), basic("plain:secret")}).status == 400);
  Request request;
  request.url = c.s.url();
  request.http2 = true;
  request.headers = {basic("plain:secret")};
  CHECK(fetch(request).status == 200);
  request.headers.push_back(basic("sha:secret"));
  CHECK(fetch(request).status == 400);
}

TEST_CASE("passwords in all forms") {
  Closed c;
  for (const std::string user :
       {"des", "md5", "sha256", "sha512", "bcrypt", "yescrypt", "apr1", "sha", "ssha", "plain", "last"}) {
    INFO(user);
    CHECK(c.status(user + ":secret") == 200);
    CHECK(c.status(user + ":secret") == 200);  // what was right once is remembered, what was not is not
    CHECK(c.status(user + ":Secret") == 401);
    CHECK(c.status(user + ":") == 401);
    CHECK(c.status(user + ":secret") == 200);
  }
  CHECK(c.status("long:a rather longer password than sixteen bytes") == 200);
  CHECK(c.status("long:a rather longer password than sixteen byteS") == 401);
}

TEST_CASE("a stored password that makes no sense lets nobody in") {
  Closed c;
  for (const std::string user : {"broken1", "broken2", "broken3", "broken4", "broken5", "broken6", "broken7"}) {
    INFO(user);
    CHECK(c.status(user + ":secret") == 401);
    CHECK(c.status(user + ":") == 401);
    CHECK(c.status(user + ":*0") == 401);
  }
}

TEST_CASE("a NUL does not end a password") {
  Closed c;
  using namespace std::string_literals;
  CHECK(c.status("md5:secret\0"s) == 401);
  CHECK(c.status("md5:secret\0x"s) == 401);
  CHECK(c.status("plain:secret\0"s) == 401);
}

TEST_CASE("the log says who was refused and why") {
  Closed c;
  CHECK(c.status("nobody:secret") == 401);
  CHECK(c.s.wait_for_log("\\[error\\] .*user \"nobody\" was not found in \"" + c.s.folder() + "/users\", client: "));
  CHECK(c.status("plain:wrong") == 401);
  CHECK(c.s.wait_for_log("\\[error\\] .*user \"plain\": password mismatch, client: "));
  CHECK(c.status("# a comment: not a user") == 401);
}

TEST_CASE("a user file that is missing forbids, one that cannot be read is an error") {
  Closed c("auth_basic a; auth_basic_user_file missing; location = /folder { auth_basic_user_file %%DIR%%; }");
  CHECK(c.status("plain:secret") == 403);
  CHECK(c.s.wait_for_log("\\[error\\] .*open\\(\\) \"[^\"]*/missing\" failed \\(2: No such file or directory\\)"));
  CHECK(get(c.s.url("/folder"), {basic("plain:secret")}).status == 500);
  CHECK(c.s.wait_for_log("\\[crit\\] .*read\\(\\) \"[^\"]*\" failed \\(21: Is a directory\\)"));
}

TEST_CASE("auth_basic off, and values with variables") {
  Closed c(
      "auth_basic $arg_realm; auth_basic_user_file $arg_file; location = /open { auth_basic off; return 200; }"
      " location = /in { auth_basic off; try_files /index.html =404; }");
  CHECK(get(c.s.url("/?realm=off")).status == 200);
  CHECK(get(c.s.url("/in")).status == 200);
  const Response r = get(c.s.url("/?realm=club&file=" + c.s.folder() + "/users"));
  CHECK(r.status == 401);
  CHECK(r.header("WWW-Authenticate") == "Basic realm=\"club\"");
  CHECK(get(c.s.url("/?realm=club&file=" + c.s.folder() + "/users"), {basic("sha:secret")}).status == 200);
  // Relative to the configuration's folder.
  CHECK(get(c.s.url("/?realm=club&file=users"), {basic("sha:secret")}).status == 200);
  CHECK(get(c.s.url("/?realm=club"), {basic("sha:secret")}).status == 500);
  c.s.allow("Is a directory");
}

TEST_CASE("a line end in a realm does not leave its field") {
  Closed c("set $realm $uri; auth_basic $realm; auth_basic_user_file users;");
  const Response r = get(c.s.url("/a%0d%0aX-Y:%20z"));
  CHECK(r.header("WWW-Authenticate") == "Basic realm=\"/a  X-Y: z\"");
  CHECK(r.header("X-Y").empty());
}

TEST_CASE("a changed user file holds at once") {
  Closed c;
  CHECK(c.status("sha512:secret") == 200);
  c.s.file("users", "sha512:{PLAIN}other\n");
  CHECK(c.status("sha512:secret") == 401);
  CHECK(c.status("sha512:other") == 200);
  c.s.file("users", "sha512:{PLAIN}again\n");
  CHECK(c.status("sha512:other") == 401);
  CHECK(c.status("sha512:again") == 200);
  REQUIRE(::unlink((c.s.folder() + "/users").c_str()) == 0);
  CHECK(c.status("sha512:again") == 403);
}

TEST_CASE("remote_user is who the client says, right or wrong") {
  Closed c(std::string("access_log %%DIR%%/who.log; ") + kAsks);
  CHECK(c.status("plain:secret") == 200);
  CHECK(c.status("ghost:x") == 401);
  CHECK(get(c.s.url()).status == 401);
  CHECK(c.s.wait_for_log("^127.0.0.1 - plain \\[.*\" 200 ", "who.log"));
  CHECK(c.s.wait_for_log("^127.0.0.1 - ghost \\[.*\" 401 ", "who.log"));
  CHECK(c.s.wait_for_log("^127.0.0.1 - - \\[.*\" 401 ", "who.log"));
}

TEST_CASE("satisfy all asks for the address and the password, the address first") {
  Closed c(std::string(kAsks) + "location = /no { deny all; } location = /yes { allow all; try_files /index.html =404; }");
  CHECK(get(c.s.url("/no")).status == 403);
  CHECK(get(c.s.url("/no"), {basic("plain:secret")}).status == 403);
  CHECK(get(c.s.url("/yes")).status == 401);
  CHECK(get(c.s.url("/yes"), {basic("plain:secret")}).status == 200);
}

TEST_CASE("satisfy any is content with one of them, and prefers the 401") {
  Closed c(std::string("satisfy any; ") + kAsks +
           "location = /no { deny all; try_files /index.html =404; } location = /yes { allow all; try_files /index.html =404; }"
           " location = /rule { auth_basic off; deny all; }");
  const Response refused = get(c.s.url("/no"));
  CHECK(refused.status == 401);
  CHECK(refused.count("WWW-Authenticate") == 1);
  CHECK(get(c.s.url("/no"), {basic("plain:secret")}).status == 200);
  CHECK(get(c.s.url("/no"), {basic("plain:wrong")}).status == 401);
  const Response granted = get(c.s.url("/yes"));
  CHECK(granted.status == 200);
  CHECK(granted.header("WWW-Authenticate").empty());
  CHECK_FALSE(c.s.error_log().find("access forbidden by rule") != std::string::npos);
  CHECK(get(c.s.url("/rule")).status == 403);
  CHECK(c.s.wait_for_log("\\[error\\] .*access forbidden by rule, client: "));
}

TEST_CASE("an error page of a 401 still carries the challenge") {
  Closed c(std::string(kAsks) + "error_page 401 /login; location = /login { auth_basic off; return 200 login; }");
  const Response r = get(c.s.url());
  CHECK(r.status == 401);
  CHECK(r.body == "login");
  CHECK(r.header("WWW-Authenticate") == "Basic realm=\"closed site\"");
}

TEST_CASE("auth_delay holds a 401 back") {
  Closed c(std::string(kAsks) + "auth_delay 300ms;");
  const auto before = Clock::now();
  CHECK(c.status("plain:wrong") == 401);
  CHECK(Clock::now() - before >= std::chrono::milliseconds(300));
  CHECK(c.s.wait_for_log("\\[info\\] .*delaying unauthorized request, client: "));
}

TEST_CASE("auth_basic without a file is warned of") {
  const Run run = check_config(server("location / { auth_basic a; }"));
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("[warn] \"auth_basic\" lets everybody in: there is no \"auth_basic_user_file\" in ") != std::string::npos);
}

TEST_CASE("a dear hash is computed beside the loop, which goes on answering") {
  Server s("worker_processes 1;\nevents {}\nhttp { " + server("location / { return 200 open; } location /closed { " + std::string(kAsks) + " }") + " }",
           {{"users", "dear:$2b$14$abcdefghijklmnopqrstuug2/T3netL3BPRcnafSaAr9lEfTNoLyC\n"}, {"www/closed", "in"}});
  RawClient asks(s.port());
  asks.send("GET /closed HTTP/1.1\r\nHost: a\r\n" + basic("dear:secret") + "\r\n\r\n");
  CHECK(get(s.url("/")).body == "open");
  pollfd waiting{asks.fd(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 0) == 0);  // the hash takes seconds
  CHECK(asks.read_response().body == "in");
}
