// ScriptSocket: what a cosocket has of its script. It is that script's alone, and closed with it; Lua may keep it for longer. One loop.
#pragma once

namespace seawall::lua {

class Script;

class ScriptSocket {
 public:
  virtual ~ScriptSocket() = default;
  // Its script has ended, and so has all that waited in it: nothing of the script's request may be touched from now on.
  virtual void abandon() = 0;
  Script* script = nullptr;  // null: nobody's: its script has ended, or none ran when it was made
};

}  // namespace seawall::lua
