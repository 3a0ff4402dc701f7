// A template's static that the whole process shares.
#define TOP                                              \
  extern "C++" {                                         \
  template <class T>                                     \
  struct __attribute__((visibility("default"))) Shared { \
    static T count;                                      \
  };                                                     \
  template <class T>                                     \
  T Shared<T>::count = 0;                                \
  }
#define ON_CREATE ++Shared<int>::count;
#include "healthy.h"
