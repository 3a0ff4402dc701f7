package io.hearth.driver;

import java.util.concurrent.ScheduledExecutorService;

/** What every interpreter of the session works with. */
final class Surroundings {
  final Link link;
  final Spark spark;
  final Jobs jobs;
  final Capture capture;
  final ScheduledExecutorService ticker;
  final Log log;

  Surroundings(Link link, Spark spark, Jobs jobs, Capture capture,
      ScheduledExecutorService ticker, Log log) {
    this.link = link;
    this.spark = spark;
    this.jobs = jobs;
    this.capture = capture;
    this.ticker = ticker;
    this.log = log;
  }
}
