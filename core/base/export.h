// Marks what modules may call: everything else is hidden (-fvisibility=hidden), so forgetting the mark fails when the
// module is loaded, with the symbol's name.
#pragma once
#define SEAWALL_API __attribute__((visibility("default")))
