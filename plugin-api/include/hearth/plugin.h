/*
 * Hearth's plugin ABI, version 1.0: what a kind of session plugs in through.
 *
 * A plugin is a shared object that exports one function, hearth_plugin_v1(), and talks to the host
 * through two tables of function pointers: it fills a hearth_plugin, it is given a hearth_host.
 * This header is C11 and C++17, includes nothing but the standard integer types, and is all that a
 * plugin needs. doc/abi.md gives the reasons behind the rules; in short:
 *
 *  1. Growth.    Tables begin with struct_size and grow at the end only. Test HEARTH_HAS(t, slot)
 *                before an optional slot is used. A released slot never changes its meaning.
 *                hearth_str, hearth_error and hearth_frame are frozen.
 *  2. Ownership. Every pointer argument is borrowed until the call returns; copy what you keep.
 *                Nothing made on one side is freed on the other. Text is UTF-8, not NUL-terminated.
 *  3. Handles.   _h names a thing of the host: a slot and a generation, never an address, so that a
 *                stale one is refused (HEARTH_E_STALE) and not followed. Zero is never valid. _p is
 *                the plugin's own object, opaque to the host.
 *  4. Threads.   The tag at the end of a comment says which thread may call:
 *                  [main]     one call at a time over all plugins, on any thread of the host, and
 *                             never while a call for the same instance runs;
 *                  [session]  one call at a time for one session, on any thread of the host;
 *                             different sessions run in parallel;
 *                  [any]      any thread, at any time.
 *                The host never calls back into the plugin on the stack of a call that the plugin
 *                made, so a plugin may hold its own lock while it calls the host. Plugin calls must
 *                return soon (the host logs those over 200 ms): waiting is what the on_* events are
 *                for, and no plugin needs a thread of its own.
 *  5. Errors.    A call that can fail returns a hearth_status and writes why into the caller's
 *                hearth_error, which may be NULL. A status that a side does not know is a failure
 *                like HEARTH_E_INTERNAL. No exception crosses the border.
 *  6. Bounds.    A call that answers nothing never blocks: what the host cannot take in time of
 *                stmt_output, stmt_display and log is dropped, and it says so where it is missing.
 */
#ifndef HEARTH_PLUGIN_H
#define HEARTH_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEARTH_ABI_MAJOR 1
#define HEARTH_ABI_MINOR 0

/* True where the table is long enough to have the slot and the slot is filled. */
#define HEARTH_HAS(table, slot)                                                          \
  ((table) != NULL &&                                                                    \
   (table)->struct_size >= offsetof(__typeof__(*(table)), slot) + sizeof((table)->slot) && \
   (table)->slot != NULL)

#if defined(__GNUC__)
#define HEARTH_EXPORT __attribute__((visibility("default")))
#else
#define HEARTH_EXPORT
#endif

/* ---- Values ------------------------------------------------------------------------------- */

typedef int32_t hearth_status;
enum {
  HEARTH_OK = 0,
  HEARTH_E_INVALID = 1,     /* an argument, option or piece of configuration is wrong */
  HEARTH_E_UNSUPPORTED = 2, /* this side does not do that */
  HEARTH_E_STATE = 3,       /* not now: wrong state */
  HEARTH_E_LIMIT = 4,       /* a bound of the host was reached */
  HEARTH_E_IO = 5,          /* the operating system said no; the text says what */
  HEARTH_E_STALE = 6,       /* the handle's thing is gone */
  HEARTH_E_INTERNAL = 7     /* a defect; the text says what was seen */
};

/* Borrowed UTF-8 text, or bytes where said so. ptr may be NULL when len is 0. Frozen. */
typedef struct hearth_str {
  const char *ptr;
  size_t len;
} hearth_str;

/* The caller's buffer for a reason. The callee writes at most capacity bytes, truncated and
 * NUL-terminated, when capacity is not 0. Frozen. */
typedef struct hearth_error {
  hearth_status code;
  uint32_t capacity;
  char *message;
} hearth_error;

typedef uint64_t hearth_session_h; /* an interpreter of a session; valid from open to release */
typedef uint64_t hearth_proc_h;    /* a process; valid until on_proc_exit has returned */
typedef uint64_t hearth_chan_h;    /* a channel of a driver link; valid until HEARTH_CHAN_CLOSED */

typedef struct hearth_instance hearth_instance; /* the plugin's: one plugin with one config */
typedef struct hearth_session hearth_session;   /* the plugin's: one interpreter of a session */

/* What a plugin says of its interpreter (hearth_host.session_state). A host takes a value that it
 * does not know for HEARTH_ERROR. */
enum {
  HEARTH_IDLE = 1,  /* ready to execute; said once after launch, and after a restart */
  HEARTH_ERROR = 2, /* cannot execute any more; the host closes and may start another */
  HEARTH_DEAD = 3,  /* the process behind it is gone */
  HEARTH_CLOSED = 4, /* the answer to close(); release follows */
  HEARTH_WAITING = 5 /* after launch: it waits for others, such as a cluster's resources; the
                        detail's "reason" says for what. The host gives it more time */
};

/* How a statement ended (hearth_host.stmt_done). A host takes a value that it does not know for
 * HEARTH_DONE_ERROR. */
enum {
  HEARTH_DONE_OK = 0,
  HEARTH_DONE_ERROR = 1,      /* bundle: {"ename":..., "evalue":..., "traceback":[...]} */
  HEARTH_DONE_CANCELLED = 2,  /* interrupted, and its code has stopped */
  HEARTH_DONE_INCOMPLETE = 3, /* the code is not whole: an error to clients, with the bundle of one
                                 or "{}" */
  HEARTH_DONE_LOST = 4        /* the interpreter died under it */
};

/* A host takes a stream that it does not know for HEARTH_STDOUT. */
enum { HEARTH_STDOUT = 1, HEARTH_STDERR = 2 };

/* Added to the stream of on_proc_line: the next one of this stream is more of the same line. */
enum { HEARTH_LINE_GOES_ON = 256 };

/* Rising: a host takes a level above those it knows for the highest. */
enum { HEARTH_LOG_DEBUG = 1, HEARTH_LOG_INFO = 2, HEARTH_LOG_WARN = 3, HEARTH_LOG_ERROR = 4 };

/* close(mode) */
enum {
  HEARTH_CLOSE_GRACEFUL = 0, /* let the REPL end in order */
  HEARTH_CLOSE_KILL = 1,     /* end it now */
  HEARTH_CLOSE_DETACH = 2    /* the host goes down, a recoverable driver stays */
};

/* One frame of a driver link (doc/link.md). Frozen. */
typedef struct hearth_frame {
  uint8_t type;       /* doc/link.md, "Frame types" */
  uint8_t outcome;    /* meaning by type */
  uint16_t reserved0; /* 0 */
  uint32_t reserved1; /* 0 */
  uint64_t statement; /* statement or request number, 0 where none */
  hearth_str payload;
} hearth_frame;

/* on_chan_frame events. */
enum {
  HEARTH_CHAN_UP = 1,    /* the driver is connected and authenticated, for the first time */
  HEARTH_CHAN_FRAME = 2, /* frame is valid */
  HEARTH_CHAN_DOWN = 3,  /* the connection dropped; frames sent meanwhile are kept and sent later */
  HEARTH_CHAN_BACK = 4,  /* it is connected again; nothing was lost */
  HEARTH_CHAN_CLOSED = 5 /* the handle ends here */
};

/* ---- Structures passed to calls ------------------------------------------------------------ */

typedef struct hearth_open {
  uint32_t struct_size;
  uint32_t flags; /* 0 */
  hearth_str session_id;    /* the session's number, as text; the same for all its interpreters */
  hearth_str kind;          /* the kind asked for, in the descriptor's spelling */
  hearth_str user;          /* whom the REPL is to run as; empty where impersonation is off */
  hearth_str options_json;  /* {"dir": private folder, mode 0700, gone after release,
                                "name": .., "parameter": of a kind asked for as KIND:PARAMETER,
                                "tag": for leaders, what a cluster is to know the application
                                by, another one at each launch,
                                "request": the create request's properties} */
  hearth_str driver_json;   /* from the leader's export_driver; empty for a leader */
  hearth_str recovery_blob; /* what save() kept, of an interpreter that an earlier run of the host
                               has launched: launch() then takes up what is there. Else empty */
} hearth_open;

/* A host refuses flags that it does not know, HEARTH_E_UNSUPPORTED. */
enum {
  HEARTH_SPAWN_LINES = 1, /* stdin is a pipe (proc_write); stdout and stderr come as on_proc_line.
                            Without it stdin is /dev/null and both go to the session's log, a file
                            that outlives the host: what a recoverable driver needs. */
  HEARTH_SPAWN_PROTOCOL = 2 /* besides HEARTH_SPAWN_LINES: what comes on stdout is the plugin's to
                               read only; else its lines go to the session's log too, as those of
                               stderr always do */
};

typedef struct hearth_spawn {
  uint32_t struct_size;
  uint32_t flags;
  const hearth_str *argv; /* argv[0] is looked up in PATH when it has no slash */
  size_t argc;
  const hearth_str *env; /* "NAME=value", added to a clean base environment */
  size_t envc;
  hearth_str cwd; /* empty: the session's private folder */
} hearth_spawn;

typedef struct hearth_offer {
  uint32_t struct_size;
  uint32_t reserved;
  hearth_chan_h channel;
  char link_file[512]; /* out: path of the file, mode 0600, that tells the driver where to dial */
} hearth_offer;

/* ---- The host's table, given at create() ---------------------------------------------------- */

typedef struct hearth_host {
  uint32_t struct_size;
  uint32_t abi_minor; /* for logs only */
  void *ctx;          /* first argument of every call below */

  /* An extension's table by id, such as "hearth.metrics/1", or NULL. [any] */
  const void *(*extension)(void *ctx, const char *id);

  /* Writes to the host's log, and to the session's where session is not 0. [any] */
  void (*log)(void *ctx, hearth_session_h session, int32_t level, hearth_str text);

  /* Reports the interpreter's state. detail_json, empty or an object, may carry "reason",
   * "appId", "sparkVersion" and "appInfo" {"driverLogUrl","sparkUiUrl"}; saying the same state again only updates
   * these. Of an application in a cluster also "cluster" {"master": "yarn" or "spark://..", "tag": as
   * in the options, "id": once known}: the host follows it there, takes its end for the session's
   * and sees to it that it is gone when the session is. A HEARTH_WAITING without a reason only
   * tells this. [any] */
  void (*session_state)(void *ctx, hearth_session_h session, int32_t state, hearth_str detail_json);

  /* Adds to what a running statement has printed. [any] */
  void (*stmt_output)(void *ctx, hearth_session_h session, uint64_t statement, int32_t stream,
                      hearth_str text);

  /* A MIME bundle (object) that a running statement shows besides its result: a plot, a table.
   * Kept in order, shown at once to clients that stream. Bounded by the host. [any] */
  void (*stmt_display)(void *ctx, hearth_session_h session, uint64_t statement,
                       hearth_str bundle_json);

  /* The running statement's display number index, from 0 in the order of stmt_display, has become
   * another bundle, or is gone: "{}". [any] */
  void (*stmt_display_change)(void *ctx, hearth_session_h session, uint64_t statement,
                              uint64_t index, hearth_str bundle_json);

  /* fraction of the running statement's work that is done, 0 to 1. [any] */
  void (*stmt_progress)(void *ctx, hearth_session_h session, uint64_t statement, double fraction);

  /* Ends a statement, once. bundle_json is an object: MIME type to value for ok, or the error. It
   * is stored and served as it comes, but for a member "hearth" {"data":{MIME type: value},
   * "metadata":{..}}, best its first: what only /v1 shows. A second end of a statement is logged
   * and dropped. [any] */
  void (*stmt_done)(void *ctx, hearth_session_h session, uint64_t statement, int32_t outcome,
                    hearth_str bundle_json);

  /* Answers complete(), inspect(), shared_data() or export_driver(); a late one is dropped. [any] */
  void (*reply)(void *ctx, hearth_session_h session, uint64_t request, hearth_status status,
                hearth_str json);

  /* Keeps a text (at most 64 KiB) that open() gets back after a restart of the host, in place of the
   * one before. With it the plugin says that its driver outlives the host: the host then keeps what
   * the interpreter needs to be taken up (hearth_plugin.resume). [any] */
  hearth_status (*save)(void *ctx, hearth_session_h session, hearth_str blob, hearth_error *err);

  /* Starts a process in a process group of its own with sealed descriptors. The only way to start
   * one. [session] */
  hearth_status (*spawn)(void *ctx, hearth_session_h session, const hearth_spawn *what,
                         hearth_proc_h *proc, hearth_error *err);

  /* The process that an earlier run of the host has spawned for this interpreter, the last one
   * before save(): for one that was opened with a recovery blob. It is signalled and watched as one
   * of this run; on_proc_exit comes with status -1 and signal 0, as only a parent learns more.
   * HEARTH_E_STATE where it has ended meanwhile. [session] */
  hearth_status (*proc_adopt)(void *ctx, hearth_session_h session, hearth_proc_h *proc,
                              hearth_error *err);

  /* Writes to the stdin of a process spawned with HEARTH_SPAWN_LINES. Never blocks: what does not
   * fit is kept, up to a bound (HEARTH_E_LIMIT). [session] */
  hearth_status (*proc_write)(void *ctx, hearth_proc_h proc, hearth_str bytes, hearth_error *err);

  /* Sends a signal to the process group; in on_proc_exit to what is left of it. HEARTH_E_STATE where
   * there is nobody left: seldom a mistake, as a process may end at any time. [session] */
  hearth_status (*proc_signal)(void *ctx, hearth_proc_h proc, int32_t signo, hearth_error *err);

  /* on_timer(id) after ms milliseconds, once; returns the id, or 0 where the session has too many.
   * [session] */
  uint64_t (*timer)(void *ctx, hearth_session_h session, uint32_t ms);

  /* Opens the session's driver link and offers it to the driver to be launched: fills offer. For an
   * interpreter that is taken up, the link is the one that its driver knows.
   * options_json: empty or an object: "network": true for a driver that may be on another machine
   * and is to dial TLS over TCP. [session] */
  hearth_status (*chan_offer)(void *ctx, hearth_session_h session, hearth_str options_json,
                              hearth_offer *offer, hearth_error *err);

  /* A follower's channel on the driver link that its leader offered. open_json goes to the driver,
   * which starts the worker it names (doc/link.md, "Workers"). [session] */
  hearth_status (*chan_join)(void *ctx, hearth_session_h session, hearth_str open_json,
                             hearth_chan_h *chan, hearth_error *err);

  /* Sends a frame, in order, also while the driver is away. Never blocks. [any] */
  hearth_status (*chan_send)(void *ctx, hearth_chan_h chan, const hearth_frame *frame,
                             hearth_error *err);

  /* Ends the channel; HEARTH_CHAN_CLOSED follows. [session] */
  void (*chan_close)(void *ctx, hearth_chan_h chan);
} hearth_host;

/* ---- The plugin's table, returned by hearth_plugin_v1() ------------------------------------- */

typedef struct hearth_plugin {
  uint32_t struct_size;
  uint32_t abi_minor; /* HEARTH_ABI_MINOR the plugin was built with; for logs only */

  /* JSON object, static: {"id","version","kinds":[..], and optionally "aliases":{alias:kind},
   * "magics":[..], "mime":[..], "leader": kind of the driver it joins, "concurrency": n,
   * "kind_parameter": what P is where KIND:P can be asked for,
   * "config":{key:{"type","default","doc"}}}. Required. */
  const char *descriptor_json;

  /* An extension of the plugin by id, or NULL. Optional. [any] */
  const void *(*extension)(const char *id);

  /* Makes an instance from the configuration (an object: the deployment's "config" merged over the
   * descriptor's defaults, plus "plugin_dir", the folder of the .so). host lives until destroy.
   * Required. [main] */
  hearth_status (*create)(const hearth_host *host, hearth_str config_json, hearth_instance **out,
                          hearth_error *err);

  /* After the last release. No call in or out afterwards. Required. [main] */
  void (*destroy)(hearth_instance *instance);

  /* Checks the options and allocates; starts nothing. HEARTH_E_INVALID goes to the client, in answer
   * to the create request where the session is of this kind; the session then is not made.
   * Required. [session] */
  hearth_status (*open)(hearth_instance *instance, hearth_session_h handle, const hearth_open *args,
                        hearth_session **out, hearth_error *err);

  /* Starts the REPL and returns; HEARTH_IDLE, ERROR or DEAD is reported later. The host owns the
   * launch time-out. Required. [session] */
  hearth_status (*launch)(hearth_session *session, hearth_error *err);

  /* Takes a statement, or refuses it now. When taken, exactly one stmt_done follows. The host
   * queues: one at a time. options_json is empty or the object that the client gave with the
   * statement, such as {"maxRows":100}; what is not known in it is ignored. Required. [session] */
  hearth_status (*execute)(hearth_session *session, uint64_t statement, hearth_str code,
                           hearth_str options_json, hearth_error *err);

  /* A statement that an earlier run of the host gave, or was about to give, to execute(): it may run,
   * have ended, or have never arrived. Exactly one stmt_done follows: HEARTH_DONE_ERROR where its
   * result cannot be had, HEARTH_DONE_LOST where the interpreter is gone, too. Called after launch
   * of one opened with a recovery blob. Optional: without it the statement is lost. [session] */
  hearth_status (*resume)(hearth_session *session, uint64_t statement, hearth_str code,
                          hearth_str options_json, hearth_error *err);

  /* Asks the REPL to stop this statement's code; its stmt_done follows when it has stopped.
   * Optional. [session] */
  hearth_status (*interrupt)(hearth_session *session, uint64_t statement, hearth_error *err);

  /* Completion of code at cursor, counted in Unicode code points; answered by reply() with
   * {"candidates":[..]}. Optional. [session] */
  hearth_status (*complete)(hearth_session *session, uint64_t request, hearth_str code,
                            uint64_t cursor, hearth_error *err);

  /* What is known of the name at cursor (Unicode code points); detail is 0, or 1 for more, as
   * source. Answered by reply() with {"found":bool,"data":{mime:value}}, also while a statement
   * runs where the REPL can. Optional. [session] */
  hearth_status (*inspect)(hearth_session *session, uint64_t request, hearth_str code,
                           uint64_t cursor, int32_t detail, hearth_error *err);

  /* Leaders: what followers need to join, answered by reply() with an object. Optional. [session] */
  hearth_status (*export_driver)(hearth_session *session, uint64_t request, hearth_error *err);

  /* Leaders: the data that the session's languages share, answered by reply() with {"items":
   * [{"name","type",..}]}, also while a statement runs. Optional. [session] */
  hearth_status (*shared_data)(hearth_session *session, uint64_t request, hearth_error *err);

  /* Begins the end; HEARTH_CLOSED is reported later (the host kills after its own time-out).
   * Required. [session] */
  void (*close)(hearth_session *session, int32_t mode);

  /* Frees the session. No call in or out afterwards. Required. [session] */
  void (*release)(hearth_session *session);

  /* A line without its end from a process spawned with HEARTH_SPAWN_LINES. One over 64 KiB comes in
   * pieces, all but the last with HEARTH_LINE_GOES_ON in stream; the last may be empty. Optional.
   * [session] */
  void (*on_proc_line)(hearth_session *session, hearth_proc_h proc, int32_t stream,
                       hearth_str line);

  /* The process has ended: exit status, or the signal that ended it (status is -1 then); after its
   * last line. Optional. [session] */
  void (*on_proc_exit)(hearth_session *session, hearth_proc_h proc, int32_t status, int32_t signo);

  /* An event of a channel; frame is NULL but for HEARTH_CHAN_FRAME. Optional. [session] */
  void (*on_chan_frame)(hearth_session *session, hearth_chan_h chan, int32_t event,
                        const hearth_frame *frame);

  /* A timer has run out. Optional. [session] */
  void (*on_timer)(hearth_session *session, uint64_t id);
} hearth_plugin;

/* The one exported symbol. Returns a table that lives for the process. [main] */
HEARTH_EXPORT const hearth_plugin *hearth_plugin_v1(void);

#ifdef __cplusplus
}
#endif

#endif /* HEARTH_PLUGIN_H */
