#include "api/EventText.h"

#include <algorithm>

namespace hearth::host {

void appendEvent(std::string& out, const std::string& id, const char* name,
                 const std::string& json) {
  out += "id: " + id + "\nevent: " + name + "\n";
  // A bundle is text of a plugin's; its line ends would end the field.
  for (std::size_t at = 0; at <= json.size();) {
    const std::size_t end = std::min(json.find_first_of("\r\n", at), json.size());
    out += "data: ";
    out.append(json, at, end - at);
    out += '\n';
    at = end + 1;
  }
  out += '\n';
}

}  // namespace hearth::host
