#include "JupyterSession.h"

HEARTH_PLUGIN_WITH(hearth::jupyter::JupyterSession, hearth::jupyter::JupyterInstance, R"({
  "id": "jupyter", "version": "1.0.0",
  "kinds": ["jupyter"], "kind_parameter": "name of an installed kernelspec",
  "mime": ["*/*"],
  "config": {
    "kernel": {"type": "string", "default": "python3",
      "doc": "kernelspec of sessions that name none"},
    "kernel_path": {"type": "array", "default": [],
      "doc": "folders with kernels/NAME/kernel.json in them, looked into before Jupyter's own"},
    "transport": {"type": "string", "default": "auto",
      "doc": "ipc: sockets in the session's private folder; tcp: loopback ports; auto: ipc for kernels of Python and R, tcp for others"},
    "shutdown_time": {"type": "integer", "default": 4,
      "doc": "seconds that a kernel has to end when its session does; SIGTERM after half of it, then SIGKILL"},
    "orphan_time": {"type": "integer", "default": 600,
      "doc": "seconds that a kernel lives on without a host, which takes it up when it is back; 0: kernels end with the host"},
    "heartbeat_time": {"type": "integer", "default": 10,
      "doc": "seconds between heartbeats; one that is not answered is noted in the session's log"},
    "message_mb": {"type": "integer", "default": 256,
      "doc": "megabytes that one message of a kernel may have"}
  }
})")
