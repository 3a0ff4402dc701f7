/* A plugin with everything that a descriptor can have. */
#include "../broken/broken.h"

HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) {
  static const hearth_plugin table = GOOD_TABLE(
      "{\"id\":\"configured\",\"version\":\"2.1\",\"kinds\":[\"conf\",\"conf2\"],"
      "\"aliases\":{\"confy\":\"conf\",\"echo\":\"conf2\"},\"leader\":\"spark\","
      "\"kind_parameter\":\"a version\","
      "\"config\":{\"python\":{\"type\":\"string\",\"default\":\"python3\",\"doc\":\"x\"},"
      "\"retries\":{\"type\":\"integer\",\"default\":3},\"jars\":{\"type\":\"array\"}}}");
  return &table;
}
