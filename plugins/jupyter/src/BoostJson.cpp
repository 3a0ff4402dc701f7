// Boost.JSON, compiled into the plugin: it does not depend on the host's copy.
#include <boost/json/src.hpp>
