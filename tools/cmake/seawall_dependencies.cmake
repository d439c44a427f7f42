# What the core and the modules link, as Debian 12 and 13 have it. Nothing is vendored, nothing downloaded.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2>=1.52)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8>=10.42)

# llhttp is a library with a .pc on Debian 13 and C sources without either on Debian 12. Strict mode is not the header's
# default; without it the parser takes any two bytes for the end of a chunk.
pkg_check_modules(LLHTTP QUIET IMPORTED_TARGET libllhttp)
if(LLHTTP_FOUND)
  add_library(llhttp ALIAS PkgConfig::LLHTTP)
else()
  find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp REQUIRED)
  find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp REQUIRED)
  add_library(llhttp STATIC ${LLHTTP_SOURCE}/llhttp.c ${LLHTTP_SOURCE}/http.c ${LLHTTP_SOURCE}/api.c)
  target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
  target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
endif()
