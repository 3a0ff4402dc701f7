package io.hearth.driver;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.StageInfo;
import scala.collection.Iterable;
import scala.collection.Iterator;

/**
 * Knows which Spark jobs belong to the statement that runs on a channel: those that carry the
 * channel's number in a local property. From their tasks comes the statement's progress, and they
 * are what a cancel ends. A job that carries another statement's number too, such as one of a
 * stream that an earlier statement has started, does not count.
 */
final class Jobs extends SparkListener {
  static final String CHANNEL = "hearth.channel";
  static final String STATEMENT = "hearth.statement";
  static final String LANE = "hearth.lane";

  private static final long PUBLISH_MS = 100;

  /** A job and how many of its tasks are done. */
  private static final class Job {
    int tasks;
    int done;
  }

  /** A statement that runs, with the jobs it has started. */
  private static final class Running {
    final int channel;
    final long statement;
    final Map<Integer, Job> jobs = new HashMap<>();
    final Map<Integer, Job> byStage = new HashMap<>();
    final List<Integer> active = new ArrayList<>();
    boolean publishDue;
    String published = "";

    Running(int channel, long statement) {
      this.channel = channel;
      this.statement = statement;
    }
  }

  private final Link link;
  private final ScheduledExecutorService ticker;
  private final Map<Integer, Running> running = new HashMap<>();
  private SparkContext context;

  Jobs(Link link, ScheduledExecutorService ticker) {
    this.link = link;
    this.ticker = ticker;
  }

  synchronized void setContext(SparkContext context) {
    this.context = context;
  }

  synchronized void begin(int channel, long statement) {
    running.put(channel, new Running(channel, statement));
  }

  synchronized void end(int channel) {
    running.remove(channel);
  }

  /**
   * Cancels the jobs that a statement runs now, and those that carry its number as they start;
   * those of the channel's next statement are left alone. Returns how many there were.
   */
  int cancel(int channel, long number) {
    LeftBehind.addStatement(channel, number);
    List<Integer> jobs = new ArrayList<>();
    SparkContext spark;
    synchronized (this) {
      Running statement = running.get(channel);
      spark = context;
      if (statement != null && statement.statement == number) {
        jobs.addAll(statement.active);
      }
    }
    if (spark == null || spark.isStopped()) {
      return 0;
    }
    for (int job : jobs) {
      spark.cancelJob(job);
    }
    return jobs.size();
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart event) {
    if (context != null && LeftBehind.started(event.properties())) {
      context.cancelJob(event.jobId());
    }
    Running statement = ownerOf(event.properties());
    if (statement == null) {
      return;
    }
    Job job = new Job();
    for (StageInfo stage : stagesOf(event)) {
      job.tasks += stage.numTasks();
      statement.byStage.put(stage.stageId(), job);
    }
    statement.jobs.put(event.jobId(), job);
    statement.active.add(event.jobId());
    changed(statement);
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd event) {
    for (Running statement : running.values()) {
      Job job = statement.byStage.get(event.stageId());
      if (job != null && event.taskInfo() != null && event.taskInfo().successful()) {
        job.done = Math.min(job.done + 1, job.tasks);
        changed(statement);
      }
    }
  }

  @Override
  public synchronized void onJobEnd(SparkListenerJobEnd event) {
    for (Running statement : running.values()) {
      Job job = statement.jobs.get(event.jobId());
      if (job != null) {
        // Stages whose output was there already have been skipped.
        job.done = job.tasks;
        statement.active.remove(Integer.valueOf(event.jobId()));
        changed(statement);
      }
    }
  }

  private Running ownerOf(Properties properties) {
    String channel = properties == null ? null : properties.getProperty(CHANNEL);
    if (channel == null) {
      return null;
    }
    String statement = properties.getProperty(STATEMENT);
    try {
      Running owner = running.get(Integer.parseInt(channel));
      boolean other =
          owner == null || statement != null && Long.parseLong(statement) != owner.statement;
      return other ? null : owner;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  // The return type, Seq, is another class in Scala 2.13 than in 2.12.
  private static List<StageInfo> stagesOf(SparkListenerJobStart event) {
    List<StageInfo> stages = new ArrayList<>();
    Iterator<?> it = ((Iterable<?>) Reflect.call(event, "stageInfos")).iterator();
    while (it.hasNext()) {
      stages.add((StageInfo) it.next());
    }
    return stages;
  }

  private void changed(Running statement) {
    if (!statement.publishDue) {
      statement.publishDue = true;
      ticker.schedule(() -> publish(statement), PUBLISH_MS, TimeUnit.MILLISECONDS);
    }
  }

  private synchronized void publish(Running statement) {
    statement.publishDue = false;
    long tasks = 0;
    long done = 0;
    for (Job job : statement.jobs.values()) {
      tasks += job.tasks;
      done += job.done;
    }
    String fraction = tasks == 0 ? "0" : String.format(Locale.ROOT, "%.4f", (double) done / tasks);
    boolean over = running.get(statement.channel) != statement;
    if (!over && !fraction.equals(statement.published)) {
      statement.published = fraction;
      link.send(statement.channel, Frame.PROGRESS, 0, statement.statement,
          fraction.getBytes(StandardCharsets.UTF_8));
    }
  }
}
