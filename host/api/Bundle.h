// A result's bundle, cut for the two faces without parsing what is in it.
#pragma once

#include <string>

namespace hearth::host {

/// The bundle of a statement as one of the faces shows it. What Livy does not have is in its member
/// "hearth", {"data":{MIME type: value}, "metadata":{..}}: Livy's face leaves that out, /v1 adds
/// its data to the bundle's own and shows its metadata beside them (plugin-api/doc/abi.md). A
/// text/plain before it stays the only one.
struct Bundle {
  std::string data;      ///< the object
  std::string metadata;  ///< an object; empty without

  // A text without such a member, or that is no object, stays as it is. Only "hearth" is looked
  // into, and what is before it: a plugin puts it first.
  static Bundle forLivy(const std::string& text);
  static Bundle forV1(const std::string& text);
};

}  // namespace hearth::host
