package io.hearth.driver;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.repl.Main;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.catalog.Catalog;
import org.apache.spark.sql.catalog.Table;
import org.apache.spark.storage.RDDInfo;
import org.apache.spark.storage.StorageLevel;

/**
 * What a session holds for all its languages: shared and cached RDDs, temporary views, tables of
 * the current database. Starts no job.
 */
final class SharedListing {
  // Spark's own name for the RDD behind a cached view or table.
  private static final String CACHED = "In-memory table ";
  private static final String GLOBAL = "global_temp";

  private SharedListing() {}

  /** {@code {"items": [...]}}; empty while the context is not up. */
  static ObjectNode of(Spark spark) {
    ObjectNode listing = Json.object();
    ArrayNode items = listing.putArray("items");
    if (spark.context().isDone() && !spark.context().isCompletedExceptionally()) {
      Map<String, RDDInfo> tables = rdds(spark.context().join(), items);
      tables(tables, items);
    }
    return listing;
  }

  /** Returns what is in memory of views and tables, by name. */
  private static Map<String, RDDInfo> rdds(SparkContext context, ArrayNode items) {
    Map<Integer, RDDInfo> stored = new HashMap<>();
    Map<String, RDDInfo> tables = new HashMap<>();
    for (RDDInfo info : context.getRDDStorageInfo()) {
      stored.put(info.id(), info);
    }
    Set<Integer> listed = new HashSet<>();
    SharedData.entries().forEach((name, entry) -> {
      RDD<?> rdd = entry.rdd();
      listed.add(rdd.id());
      ObjectNode item = item(items, name, "rdd", entry.partitions < 0 ? null : entry.partitions,
          rdd.getStorageLevel(), stored.get(rdd.id()));
      item.put("id", rdd.id()).put("shared", true);
      item.put("language", entry.scala == null ? "python" : "scala");
    });
    for (RDDInfo info : stored.values()) {
      if (info.name() != null && info.name().startsWith(CACHED)) {
        tables.put(info.name().substring(CACHED.length()), info);
        listed.add(info.id());
      }
    }
    for (JavaRDD<?> persistent
        : JavaSparkContext.fromSparkContext(context).getPersistentRDDs().values()) {
      RDD<?> rdd = persistent.rdd();
      String name = rdd.name();
      if (listed.contains(rdd.id()) || name != null && name.startsWith(CACHED)) {
        continue;
      }
      RDDInfo info = stored.get(rdd.id());
      ObjectNode item = item(items, name, "rdd", info == null ? null : info.numPartitions(),
          rdd.getStorageLevel(), info);
      item.put("id", rdd.id()).put("shared", false);
    }
    return tables;
  }

  private static void tables(Map<String, RDDInfo> cached, ArrayNode items) {
    Catalog catalog = Main.sparkSession().catalog();
    for (Table table : catalog.listTables().collectAsList()) {
      table(items, table, cached);
    }
    try {
      for (Table table : catalog.listTables(GLOBAL).collectAsList()) {
        if (GLOBAL.equals(table.database())) {
          table(items, table, cached); // views of the session are in every list
        }
      }
    } catch (AnalysisException e) {
      // A catalog without global views.
    }
  }

  private static void table(ArrayNode items, Table table, Map<String, RDDInfo> cached) {
    RDDInfo info = cached.get(table.name());
    if (info == null && table.database() != null) {
      info = cached.get(table.database() + "." + table.name());
    }
    boolean view = table.isTemporary() || "VIEW".equals(table.tableType());
    item(items, table.name(), view ? "view" : "table", info == null ? null : info.numPartitions(),
        info == null ? null : info.storageLevel(), info)
        .put("database", table.database()).put("tableType", table.tableType());
  }

  private static ObjectNode item(ArrayNode items, String name, String type, Integer partitions,
      StorageLevel level, RDDInfo stored) {
    boolean kept = level != null && (level.useMemory() || level.useDisk());
    return items.addObject().put("name", name).put("type", type)
        .put("partitions", partitions)
        .put("cachedPartitions", stored == null ? 0 : stored.numCachedPartitions())
        .put("storageLevel", kept ? level.description() : null)
        .put("memoryBytes", stored == null ? 0 : stored.memSize())
        .put("diskBytes", stored == null ? 0 : stored.diskSize());
  }
}
