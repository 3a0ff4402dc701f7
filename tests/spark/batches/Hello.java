/** An application that starts no Spark: what is left is the cost of submitting. */
public final class Hello {
  public static void main(String[] args) {
    System.out.println("hello " + args[0]);
  }
}
