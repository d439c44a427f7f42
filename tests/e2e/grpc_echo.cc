#include "e2e/grpc_echo.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "catch.h"
#include "e2e/folder.h"
#include "seawall/base/fd.h"

namespace test {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
// Says its port on standard output once it listens.
constexpr const char* kServer = R"(
import grpc, sys
from concurrent import futures
class Echo(grpc.GenericRpcHandler):
    def service(self, call):
        name = call.method.rsplit('/', 1)[1]
        if name == 'Unary': return grpc.unary_unary_rpc_method_handler(self.unary)
        if name == 'Stream': return grpc.stream_stream_rpc_method_handler(self.stream)
        if name == 'Fail': return grpc.unary_unary_rpc_method_handler(self.fail)
    def unary(self, message, context):
        context.set_trailing_metadata((('x-size', str(len(message))),))
        return message
    def stream(self, messages, context):
        for message in messages: yield message
    def fail(self, message, context): context.abort(grpc.StatusCode.FAILED_PRECONDITION, 'not now')
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers((Echo(),))
if len(sys.argv) > 2:
    pair = grpc.ssl_server_credentials([(open(sys.argv[2], 'rb').read(), open(sys.argv[1], 'rb').read())])
    port = server.add_secure_port('127.0.0.1:0', pair)
else:
    port = server.add_insecure_port('127.0.0.1:0')
server.start()
print(port, flush=True)
server.wait_for_termination()
)";
constexpr const char* kClient = R"(
import grpc, queue, sys
channel = grpc.insecure_channel('127.0.0.1:' + sys.argv[1], options=(('grpc.enable_http_proxy', 0), ('grpc.max_receive_message_length', -1)))
unary, fail = channel.unary_unary('/test.Echo/Unary'), channel.unary_unary('/test.Echo/Fail')
stream = channel.stream_stream('/test.Echo/Stream')
def say(*words): print(*[w.decode() if isinstance(w, bytes) else w for w in words], flush=True)
def guarded():
    try: exec(sys.argv[2], globals())
    except grpc.RpcError as e: say(e.code().name, e.details())
guarded()
)";

}  // namespace

std::unique_ptr<GrpcEcho> GrpcEcho::start(const std::string& certificate, const std::string& key) {
  if (std::system((std::string(kPython) + " -c 'import grpc' 2>/dev/null").c_str()) != 0) {
    WARN("no python3-grpcio: skipped");
    return nullptr;
  }
  return std::unique_ptr<GrpcEcho>(new GrpcEcho(certificate, key));
}

GrpcEcho::GrpcEcho(const std::string& certificate, const std::string& key) : folder_(make_folder()) {
  const std::string certificate_path = folder_ + "/c.pem", key_path = folder_ + "/k.pem";
  if (!certificate.empty()) write_file(certificate_path, certificate);
  if (!key.empty()) write_file(key_path, key);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const seawall::Fd reading(ends[0]);
  seawall::Fd writing(ends[1]);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(writing.get(), 1);
    if (certificate.empty()) ::execl(kPython, kPython, "-c", kServer, static_cast<char*>(nullptr));
    else ::execl(kPython, kPython, "-c", kServer, certificate_path.c_str(), key_path.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  writing = seawall::Fd();
  std::string said;
  for (char c; ::read(reading.get(), &c, 1) == 1 && c != '\n';) said += c;
  port_ = std::atoi(said.c_str());
  REQUIRE(port_ > 0);
}

GrpcEcho::~GrpcEcho() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string GrpcEcho::client(int port, const std::string& call) {
  const std::string folder = make_folder();
  write_file(folder + "/client.py", kClient);
  write_file(folder + "/call.py", call);
  const std::string command = std::string("timeout 60 ") + kPython + " " + folder + "/client.py " + std::to_string(port) + " \"$(cat " + folder +
                              "/call.py)\" 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string said;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) said.append(buffer.data(), n);
  ::pclose(pipe);
  return said;
}

}  // namespace test
