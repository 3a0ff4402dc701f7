// Boost.JSON, compiled into the plugin: a plugin links nothing but libc and libstdc++.
#include <boost/json/src.hpp>
