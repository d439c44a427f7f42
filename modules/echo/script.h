// Script: a body made by commands while it is read. One loop.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "command.h"
#include "seawall/http/body.h"
#include "seawall/server/subrequest_body.h"

namespace seawall::echo {

class Script final : public Reader {
 public:
  // The commands are the configuration's. `apart`: each text is a piece of its own, and so is the end.
  Script(Exchange& x, std::span<const Command> commands, bool apart) : x_(x), commands_(commands), apart_(apart) {}
  Task<Result<Piece>> read() override;

 private:
  Task<Result<void>> run(const Command& command, std::string& out);

  Exchange& x_;
  std::span<const Command> commands_;  // still to be run
  std::unique_ptr<SubrequestBody> location_;
  const bool apart_;
};

}  // namespace seawall::echo
