// Catch2 for a test: from here on CHECK is Catch's. Include it after the server's own headers, which mean theirs.
#include "catch_headers.h"

#undef CHECK
#define CHECK(...) INTERNAL_CATCH_TEST("CHECK", Catch::ResultDisposition::ContinueOnFailure, __VA_ARGS__)
