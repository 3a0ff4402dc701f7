/* What is frozen stays where it is, and a table says its size first: asserted by a C compiler. */
#include <hearth/plugin.h>

#define AT(type, member, where) _Static_assert(offsetof(type, member) == (where), #type "." #member)

AT(hearth_str, ptr, 0);
AT(hearth_str, len, 8);
_Static_assert(sizeof(hearth_str) == 16, "hearth_str");

AT(hearth_error, code, 0);
AT(hearth_error, capacity, 4);
AT(hearth_error, message, 8);
_Static_assert(sizeof(hearth_error) == 16, "hearth_error");

AT(hearth_frame, type, 0);
AT(hearth_frame, outcome, 1);
AT(hearth_frame, reserved0, 2);
AT(hearth_frame, reserved1, 4);
AT(hearth_frame, statement, 8);
AT(hearth_frame, payload, 16);
_Static_assert(sizeof(hearth_frame) == 32, "hearth_frame");

AT(hearth_host, struct_size, 0);
AT(hearth_host, abi_minor, 4);
AT(hearth_host, ctx, 8);
AT(hearth_plugin, struct_size, 0);
AT(hearth_plugin, abi_minor, 4);
AT(hearth_plugin, descriptor_json, 8);
AT(hearth_open, struct_size, 0);
AT(hearth_spawn, struct_size, 0);
AT(hearth_offer, struct_size, 0);
