// Who gets gzip besides those who accept it: gzip_http_version, gzip_proxied, gzip_disable. Any loop.
#pragma once
#include "conf.h"

namespace seawall::compress {

// gzip_disable WORD ...; gzip_proxied WORD ...
void disable(Conf& conf, const Invocation& in);
void set_proxied(Conf& conf, const Invocation& in);

// `response`: the head so far; before there is one (files that were compressed before) an empty one.
bool allows_gzip(const Exchange& x, const Response& response, const Conf& conf);

}  // namespace seawall::compress
