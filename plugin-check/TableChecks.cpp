// What a plugin's table must have, and how it copes with hosts that are older or newer.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "Check.h"
#include "FakeRun.h"
#include "Plugin.h"
#include "Strict.h"

namespace hearth::check {

namespace {

/// How long the host's table is in ABI 1.0; it is never shorter.
constexpr std::size_t firstLength = offsetof(hearth_host, chan_close) + sizeof(void*);

const hearth_plugin& given(const Context& context) {
  const Plugin& plugin = Plugin::of(context.subject);
  if (plugin.given() == nullptr) throw Failure("hearth_plugin_v1 returned null");
  return *plugin.given();
}

void entry(const Context& context) {
  const hearth_plugin& table = given(context);
  if (Plugin::of(context.subject).ask() != &table)
    throw Failure("hearth_plugin_v1 returned another table when it was called again");
}

void tableSize(const Context& context) {
  const std::uint32_t size = given(context).struct_size;
  if (!isTableSize(size))
    throw Failure("its struct_size is " + std::to_string(size) +
                  ", which is no length of a hearth_plugin (this header's is " +
                  std::to_string(sizeof(hearth_plugin)) + ")");
}

void slots(const Context& context) {
  const hearth_plugin& table = given(context);
  if (!isTableSize(table.struct_size)) throw Skipped("its struct_size is wrong (table-size)");
  std::string missing;
  for (const RequiredSlot& slot : requiredSlots) {
    void* function = nullptr;
    if (table.struct_size >= slot.offset + sizeof function)
      std::memcpy(&function, reinterpret_cast<const char*>(&table) + slot.offset, sizeof function);
    if (function == nullptr) missing += std::string(missing.empty() ? "" : ", ") + slot.name;
  }
  if (!missing.empty()) throw Failure("required slots are empty: " + missing);
}

void descriptor(const Context& context) {
  const hearth_plugin& table = given(context);
  if (table.struct_size < offsetof(hearth_plugin, extension) || table.descriptor_json == nullptr)
    throw Failure("descriptor_json is null");
  try {
    host::Descriptor::parse(table.descriptor_json);
  } catch (const host::DescriptorError& error) {
    throw Failure(error.what());
  }
}

void config(const Context& context) {
  const host::Descriptor& said = Plugin::of(context.subject).descriptor();
  try {
    said.mergeConfig(context.subject.quirks.config);
  } catch (const host::DescriptorError& error) {
    throw Failure(error.what());
  }
}

void extension(const Context& context) {
  const hearth_plugin& table = Plugin::of(context.subject).table();
  if (table.extension == nullptr) throw Skipped("it has no extensions");
  for (const char* id : {"hearth.plugin-check.unknown/1", ""})
    if (table.extension(id) != nullptr)
      throw Failure(std::string("extension(\"") + id + "\") is not null");
}

/// A session's life as far as it comes; refusals are answers here, crashes are not.
void live(const Context& context, FakeRun& run) {
  run.open();
  const bool launched = static_cast<bool>(run.session().launch());
  if (launched) {
    run.play([&] { return run.said(HEARTH_IDLE); });
    const Sample* ok = context.subject.quirks.sample("ok");
    run.session().execute(1, ok != nullptr ? ok->code : "1");
    run.play([&] { return run.dones() > 0; });
    run.session().close();
    run.play([&] { return run.said(HEARTH_CLOSED); });
  }
  run.release();
  run.destroy();
  run.border().faults().hold({Rule::throwing});
}

void firstHost(const Context& context) {
  const Strict strict;  // behind its end the table cannot be read
  FakeRun run(context);
  hearth_host host = run.host().table();
  host.struct_size = firstLength;
  host.abi_minor = 0;
  run.create(&host);
  live(context, run);
}

/// Everything but what each host has: log, extension, session_state and stmt_done.
void bareHost(const Context& context) {
  FakeRun run(context);
  const hearth_host& whole = run.host().table();
  hearth_host bare{};
  bare.struct_size = sizeof bare;
  bare.ctx = whole.ctx;
  bare.extension = whole.extension;
  bare.log = whole.log;
  bare.session_state = whole.session_state;
  bare.stmt_done = whole.stmt_done;
  try {
    run.create(&bare);
  } catch (const Failure&) {
    run.border().faults().hold({Rule::throwing, Rule::noReason});
    return;  // it said that it needs more
  }
  live(context, run);
}

void laterHost(const Context& context) {
  FakeRun run(context);
  struct {
    hearth_host table;
    void* slots[16];
  } host{};
  host.table = run.host().table();
  host.table.struct_size = sizeof host;
  host.table.abi_minor = 99;
  for (void*& slot : host.slots) slot = reinterpret_cast<void*>(std::uintptr_t{0xDEAD});
  run.create(&host.table);
  live(context, run);
}

}  // namespace

std::vector<Check> tableChecks() {
  return {
      {"tables", "table-entry", "hearth_plugin_v1 returns a static table, the same each time.",
       "Return the address of a static const hearth_plugin.", entry},
      {"tables", "table-size", "struct_size is the length of the table.",
       "Set it to sizeof(hearth_plugin).", tableSize},
      {"tables", "table-slots", "The required slots are filled.",
       "Fill create, destroy, open, launch, execute, close and release.", slots},
      {"tables", "table-descriptor", "descriptor_json is an object with id, version and kinds.",
       "See doc/abi.md, \"Descriptor\".", descriptor},
      {"tables", "table-config", "The configuration of the quirks file fits the descriptor.",
       "Name each key that a deployment may set in the descriptor's \"config\".", config},
      {"tables", "table-extension", "extension() of an id that it does not know is null.",
       "Compare the id with those that you have, and return null otherwise.", extension},
      {"tables", "table-first-host", "It runs under a host whose table has the length of ABI 1.0.",
       "Use a slot that came later only where HEARTH_HAS(host, slot).", firstHost},
      {"tables", "table-bare-host",
       "It runs under a host that has not filled its optional slots, or says why not.",
       "Use a slot only where HEARTH_HAS(host, slot); refuse in create() what you cannot do "
       "without.",
       bareHost},
      {"tables", "table-later-host", "It runs under a newer host, whose table is longer.",
       "Do not look at what is behind the slots that your header has.", laterHost},
  };
}

}  // namespace hearth::check
