"""An ABI change that would break a plugin somebody has built is stopped, with the rule and the way out.

    python3 abi_lock_test.py PLUGIN_API_FOLDER
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

API = pathlib.Path(sys.argv.pop(1))
HEADER = API / "include" / "hearth" / "plugin.h"
LOCKS = sorted((API / "abi").glob("v*.lock"))
MINOR = re.search(r"#define HEARTH_ABI_MINOR (\d+)", HEADER.read_text()).group(1)
NEXT_MINOR = (f"#define HEARTH_ABI_MINOR {MINOR}", f"#define HEARTH_ABI_MINOR {int(MINOR) + 1}")

SLOT = "  /* New. Optional. [session] */\n  void (*brand_new)(hearth_session *session);\n"
END = "  void (*on_timer)(hearth_session *session, uint64_t id);\n"


def check(header):
    return subprocess.run([sys.executable, str(API / "abi" / "abi_lock.py"), "check", str(header), *map(str, LOCKS)],
                          capture_output=True, text=True, timeout=60)


class AbiLock(unittest.TestCase):
    def changed(self, *changes):
        """(exit status, message) of the check of a header with each (old, new) replaced once."""
        text = HEADER.read_text()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        with tempfile.NamedTemporaryFile("w", suffix=".h") as file:
            file.write(text)
            file.flush()
            done = check(file.name)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode, done.stderr

    def assertBreaks(self, rule, remedy, *changes):
        status, message = self.changed(*changes)
        self.assertEqual(status, 1, "the change got through")
        self.assertIn("v1.0", message)
        self.assertIn("rule: " + rule, message)
        self.assertIn("do instead: " + remedy, message)

    def test_the_header_keeps_every_release(self):
        self.assertGreaterEqual(len(LOCKS), 1)
        done = check(HEADER)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_released_header_has_not_been_edited(self):
        for lock in LOCKS:
            frozen = API / "abi" / lock.stem / "hearth" / "plugin.h"
            printed = subprocess.run([sys.executable, str(API / "abi" / "abi_lock.py"), "print", str(frozen)],
                                     check=True, capture_output=True, text=True).stdout
            kept = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
            self.assertEqual(printed.splitlines(), kept)

    def test_a_slot_at_the_end_of_a_new_minor_is_fine(self):
        self.assertEqual(self.changed((END, END + SLOT), NEXT_MINOR), (0, ""))

    def test_a_slot_at_the_end_needs_a_new_minor(self):
        self.assertBreaks("what is new has a new minor", "raise HEARTH_ABI_MINOR", (END, END + SLOT))

    def test_a_slot_in_the_middle(self):
        at = "  /* Begins the end;"
        self.assertBreaks("a table grows at its end only", "put the new slot last in hearth_plugin",
                          (at, SLOT + at), NEXT_MINOR)

    def test_two_slots_that_changed_places(self):
        first = "  uint32_t struct_size;\n  uint32_t flags; /* 0 */\n"
        self.assertBreaks("a table grows at its end only", "put the new slot last in hearth_open",
                          (first, "  uint32_t flags; /* 0 */\n  uint32_t struct_size;\n"))

    def test_a_slot_that_is_gone(self):
        self.assertBreaks("a released slot stays for ever", "keep it", (END, ""))

    def test_a_slot_with_another_type(self):
        self.assertBreaks("a released slot, type or value keeps its signature", "leave it as it was",
                          ("(*on_timer)(hearth_session *session, uint64_t id)",
                           "(*on_timer)(hearth_session *session, uint32_t id)"))

    def test_a_handle_of_another_width(self):
        self.assertBreaks("a released slot, type or value keeps its signature", "leave it as it was",
                          ("typedef uint64_t hearth_chan_h", "typedef uint32_t hearth_chan_h"))

    def test_a_slot_that_another_thread_may_call(self):
        self.assertBreaks("a released slot, type or value keeps its signature, its thread", "leave it as it was",
                          ("/* A timer has run out. Optional. [session] */", "/* A timer has run out. Optional. [any] */"))

    def test_a_slot_that_becomes_required(self):
        self.assertBreaks("a released slot, type or value keeps its signature, its thread and whether it is required",
                          "leave it as it was",
                          ("/* A timer has run out. Optional.", "/* A timer has run out. Required."))

    def test_a_new_slot_that_is_required(self):
        self.assertBreaks("a plugin of an earlier minor has no such slot", "make it Optional",
                          (END, END + SLOT.replace("Optional", "Required")), NEXT_MINOR)

    def test_a_frozen_structure_that_grows(self):
        for struct in ("hearth_str", "hearth_error", "hearth_frame"):
            with self.subTest(struct):
                self.assertBreaks(f"{struct} is frozen", "pass the new thing by a new slot",
                                  (f"}} {struct};", f"  uint64_t more;\n}} {struct};"), NEXT_MINOR)

    def test_an_enumerator_with_another_value(self):
        self.assertBreaks("a released slot, type or value keeps its signature", "leave it as it was",
                          ("HEARTH_DONE_LOST = 4", "HEARTH_DONE_LOST = 5"))

    def test_a_new_value_that_old_plugins_would_be_sent(self):
        self.assertBreaks("the host may not send a value that a plugin built before could not know",
                          "announce it by an extension",
                          ("HEARTH_CHAN_CLOSED = 5 ", "HEARTH_CHAN_CLOSED = 5, HEARTH_CHAN_NEW = 6 "), NEXT_MINOR)

    def test_a_new_value_that_hosts_have_an_answer_to_is_fine(self):
        self.assertEqual(self.changed(("HEARTH_DONE_LOST = 4 ", "HEARTH_DONE_LOST = 4, HEARTH_DONE_NEW = 5 "), NEXT_MINOR),
                         (0, ""))

    def test_names_of_parameters_and_words_of_comments_are_free(self):
        self.assertEqual(self.changed(("(*on_timer)(hearth_session *session, uint64_t id)",
                                       "(*on_timer)(hearth_session *it, uint64_t timer)"),
                                      ("A timer has run out.", "The time of a timer has come.")), (0, ""))


if __name__ == "__main__":
    unittest.main()
