import org.apache.spark.sql.SparkSession

object SparkPi {
  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().appName("Spark Pi").getOrCreate()
    val n = 20000
    val inside = spark.sparkContext.parallelize(1 to n, 2).filter { i =>
      val random = new scala.util.Random(i)
      val (x, y) = (random.nextDouble(), random.nextDouble())
      x * x + y * y < 1
    }.count()
    println(s"Pi is roughly ${4.0 * inside / n}")
    spark.stop()
  }
}
