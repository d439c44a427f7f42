// bench_handshake PORT COUNT PATH [resume]: COUNT connections one after the other, each a full TLS 1.3 handshake, or one that
// resumes with the ticket of the connection before it; one request with Connection: close, and the server's end. Prints the
// number done.
#include <string>
#include <utility>

#include "tls_client.h"

namespace {

SSL_SESSION* newest = nullptr;  // what the next connection resumes with: a ticket is used once

int keep_session(SSL*, SSL_SESSION* session) {
  SSL_SESSION_free(std::exchange(newest, session));
  return 1;  // it is ours
}

}  // namespace

int main(int argc, char** argv) {
  const bool resumes = argc == 5 && argv[4] == std::string("resume");
  if (argc != 4 && !resumes) return std::fputs("usage: bench_handshake PORT COUNT PATH [resume]\n", stderr), 2;
  const int port = std::atoi(argv[1]), count = std::atoi(argv[2]);
  const std::string request =
      std::string("GET ") + argv[3] + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  SSL_CTX* const context = bench::make_context();
  if (resumes) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);  // a server may leave without a word; the session is as good as before
  }
  int full = 0;
  for (int i = 0; i < count; ++i) {
    const int fd = bench::connect_to(port);
    SSL* const ssl = bench::start_tls(context, fd, newest);
    full += SSL_session_reused(ssl) == 0;
    bench::one_request(ssl, fd, request);
    char rest[1024];
    if (bench::receive(ssl, fd, rest, sizeof rest) > 0) bench::die("bytes after the response");
    if (resumes && !newest) bench::die("no ticket came");
    SSL_shutdown(ssl);
    SSL_free(ssl);
    ::close(fd);
  }
  if (resumes && full > 1) bench::die("a session was not resumed");  // the first has nothing to resume
  SSL_SESSION_free(newest);
  SSL_CTX_free(context);
  std::printf("%d\n", count);
}
