// The OpenAPI 3.1 document of both faces: docs/openapi.json, compiled in.
#pragma once

namespace hearth::host {

extern const char* const openApiDocument;  ///< JSON text

}  // namespace hearth::host
