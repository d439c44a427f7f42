// bench_handshake PORT COUNT PATH: COUNT connections one after the other, each a full TLS 1.3 handshake, one request with
// Connection: close, and the server's end. Prints the number done.
#include <string>

#include "tls_client.h"

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: bench_handshake PORT COUNT PATH\n", stderr), 2;
  const int port = std::atoi(argv[1]), count = std::atoi(argv[2]);
  const std::string request = std::string("GET ") + argv[3] + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  SSL_CTX* const context = bench::make_context();
  for (int i = 0; i < count; ++i) {
    const int fd = bench::connect_to(port);
    SSL* const ssl = bench::start_tls(context, fd);
    bench::one_request(ssl, fd, request);
    char rest[1024];
    if (bench::receive(ssl, fd, rest, sizeof rest) > 0) bench::die("bytes after the response");
    SSL_shutdown(ssl);
    SSL_free(ssl);
    ::close(fd);
  }
  SSL_CTX_free(context);
  std::printf("%d\n", count);
}
