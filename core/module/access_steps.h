// Whether somebody decides who is let in: for directives that warn where nobody does.
#pragma once
#include "seawall/base/export.h"

namespace seawall {

class Binder;
class Settings;

// Does any module have a step of Phase::access where these settings hold (allow, auth_basic, access_by_lua ...)? For a module's
// check().
SEAWALL_API bool has_access_step(Binder& binder, const Settings& settings);

}  // namespace seawall
