library(SparkR)
sparkR.session()
cat("counted", count(createDataFrame(data.frame(x = 1:3))), "\n")
sparkR.session.stop()
