package io.hearth.driver;

/**
 * The context class loader under which Spark starts, so that local executors take the REPL's
 * classes from the REPL's own loader. The REPL starts later than the context; an executor that
 * fetched the classes anew would have a second "class A", whose objects fit no Array[A] of the
 * first.
 */
final class ReplClassLoader extends ClassLoader {
  private static final String REPL_CLASSES = "$line";

  private volatile ClassLoader repl;

  ReplClassLoader(ClassLoader parent) {
    super(parent);
  }

  void setRepl(ClassLoader repl) {
    this.repl = repl;
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    ClassLoader classes = repl;
    if (classes == null || !name.startsWith(REPL_CLASSES)) {
      throw new ClassNotFoundException(name);
    }
    return classes.loadClass(name);
  }
}
