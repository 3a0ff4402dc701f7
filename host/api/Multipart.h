// Bodies of multipart/form-data.
#pragma once

#include <string>
#include <vector>

#include "http/Message.h"

namespace hearth::host {

struct FormPart {
  std::string name;      ///< of the field
  std::string fileName;  ///< empty: none was given
  std::string content;
};

bool isMultipart(const Request& request);
/// The parts, in order. Throws Refusal: malformed for a body that is none, tooLarge beyond `bytes`
/// of contents or a hundred parts.
std::vector<FormPart> formParts(const Request& request, std::size_t bytes);

}  // namespace hearth::host
