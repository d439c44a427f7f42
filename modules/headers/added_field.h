// One add_header or add_trailer. Made at start-up, used on any loop.
#pragma once
#include <string>
#include <vector>

#include "seawall/module/module.h"

namespace seawall::headers {

class AddedField {
 public:
  // NAME VALUE [always]; ConfigError: invalid parameter "WORD".
  explicit AddedField(const Invocation& in);

  std::string name;
  FieldId id;
  Template value;
  bool always = false;
};

// The statuses whose responses are decorated without `always`.
bool is_decorated(int status);

// Adds the field with its value of now, unless that is empty. Last-Modified and ETag replace or remove those of the response.
void add_to_head(const AddedField& field, Exchange& x, Response& response);
// The same into a list of fields, without special names.
void add_to_fields(const AddedField& field, Exchange& x, Headers& fields);

}  // namespace seawall::headers
