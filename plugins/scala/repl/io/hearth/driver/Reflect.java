package io.hearth.driver;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * Calls by name, for what Scala 2.12 and 2.13 declare with different types. What the callee throws
 * comes out as it is when it is unchecked.
 */
final class Reflect {
  private Reflect() {}

  static Object call(Object target, String name, Object... arguments) {
    for (Method method : target.getClass().getMethods()) {
      if (method.getName().equals(name) && fits(method.getParameterTypes(), arguments)) {
        try {
          return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
          throw unchecked(e.getCause());
        } catch (IllegalAccessException e) {
          throw new IllegalStateException(e);
        }
      }
    }
    throw new IllegalStateException(
        "no method " + name + " of " + arguments.length + " in " + target.getClass().getName());
  }

  static boolean has(Object target, String name, Object... arguments) {
    for (Method method : target.getClass().getMethods()) {
      if (method.getName().equals(name) && fits(method.getParameterTypes(), arguments)) {
        return true;
      }
    }
    return false;
  }

  static Object create(String type, Object... arguments) {
    try {
      for (Constructor<?> constructor : Class.forName(type).getConstructors()) {
        if (fits(constructor.getParameterTypes(), arguments)) {
          return constructor.newInstance(arguments);
        }
      }
    } catch (InvocationTargetException e) {
      throw unchecked(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
    throw new IllegalStateException("no constructor of " + type + " fits");
  }

  static boolean exists(String type) {
    try {
      Class.forName(type, false, Reflect.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private static boolean fits(Class<?>[] types, Object[] arguments) {
    if (types.length != arguments.length) {
      return false;
    }
    for (int i = 0; i < types.length; i++) {
      boolean same = types[i].isPrimitive()
          ? types[i] == int.class && arguments[i] instanceof Integer
              || types[i] == boolean.class && arguments[i] instanceof Boolean
          : arguments[i] == null || types[i].isInstance(arguments[i]);
      if (!same) {
        return false;
      }
    }
    return true;
  }

  private static RuntimeException unchecked(Throwable cause) {
    if (cause instanceof Error) {
      throw (Error) cause;
    }
    return cause instanceof RuntimeException
        ? (RuntimeException) cause
        : new IllegalStateException(cause);
  }
}
