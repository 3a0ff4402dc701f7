import java.util.Arrays;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Counts its arguments in Spark; "fail" throws, "sleep" stays until it is ended. */
public final class Words {
  public static void main(String[] args) throws Exception {
    try (JavaSparkContext sc = new JavaSparkContext(new SparkConf())) {
      if (args.length > 0 && args[0].equals("fail")) throw new IllegalStateException("meant to fail");
      System.out.println("counted " + sc.parallelize(Arrays.asList(args), 1).count());
      System.out.println("setting " + sc.getConf().get("spark.test.setting", "none"));
      System.out.println("variable " + System.getenv("BATCH_VARIABLE"));
      System.out.println("name " + sc.appName());
      if (args.length > 0 && args[0].equals("sleep")) {
        System.out.println("sleeping");
        Thread.sleep(600000);
      }
    }
  }
}
