/* Numbers from Intel's SDM volume 4 (table of DisplayFamily_DisplayModel),
 * AMD's revision guides and ARM's MIDR_EL1 pages. A row holds a range of
 * models and, for Intel's 06_55H, of steppings. */
#include "harness/cpu_model.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

typedef struct x86_row {
  unsigned family, first, last; /* models */
  const char *name;
} x86_row;

static const x86_row intel[] = {
    {6, 0x1a, 0x1a, "Nehalem"},
    {6, 0x1e, 0x1f, "Nehalem"},
    {6, 0x2e, 0x2e, "Nehalem"},
    {6, 0x25, 0x25, "Westmere"},
    {6, 0x2c, 0x2c, "Westmere"},
    {6, 0x2f, 0x2f, "Westmere"},
    {6, 0x2a, 0x2a, "Sandy Bridge"},
    {6, 0x2d, 0x2d, "Sandy Bridge (server)"},
    {6, 0x3a, 0x3a, "Ivy Bridge"},
    {6, 0x3e, 0x3e, "Ivy Bridge (server)"},
    {6, 0x3c, 0x3c, "Haswell"},
    {6, 0x3f, 0x3f, "Haswell (server)"},
    {6, 0x45, 0x46, "Haswell"},
    {6, 0x3d, 0x3d, "Broadwell"},
    {6, 0x47, 0x47, "Broadwell"},
    {6, 0x4f, 0x4f, "Broadwell (server)"},
    {6, 0x56, 0x56, "Broadwell (server)"},
    {6, 0x4e, 0x4e, "Skylake"},
    {6, 0x5e, 0x5e, "Skylake"},
    {6, 0x8e, 0x8e, "Kaby Lake (Skylake core)"},
    {6, 0x9e, 0x9e, "Coffee Lake (Skylake core)"},
    {6, 0xa5, 0xa6, "Comet Lake (Skylake core)"},
    {6, 0x66, 0x66, "Cannon Lake"},
    {6, 0x6a, 0x6a, "Ice Lake (server, Sunny Cove)"},
    {6, 0x6c, 0x6c, "Ice Lake (server, Sunny Cove)"},
    {6, 0x7d, 0x7e, "Ice Lake (Sunny Cove)"},
    {6, 0x8c, 0x8d, "Tiger Lake (Willow Cove)"},
    {6, 0xa7, 0xa7, "Rocket Lake (Cypress Cove)"},
    {6, 0x97, 0x97, "Alder Lake (Golden Cove and Gracemont)"},
    {6, 0x9a, 0x9a, "Alder Lake (Golden Cove and Gracemont)"},
    {6, 0xb7, 0xb7, "Raptor Lake (Raptor Cove and Gracemont)"},
    {6, 0xba, 0xba, "Raptor Lake (Raptor Cove and Gracemont)"},
    {6, 0xbf, 0xbf, "Raptor Lake (Raptor Cove and Gracemont)"},
    {6, 0xaa, 0xaa, "Meteor Lake (Redwood Cove and Crestmont)"},
    {6, 0xac, 0xac, "Meteor Lake (Redwood Cove and Crestmont)"},
    {6, 0xbd, 0xbd, "Lunar Lake (Lion Cove and Skymont)"},
    {6, 0xb5, 0xb5, "Arrow Lake (Lion Cove and Skymont)"},
    {6, 0xc5, 0xc6, "Arrow Lake (Lion Cove and Skymont)"},
    {6, 0x8f, 0x8f, "Sapphire Rapids (Golden Cove)"},
    {6, 0xcf, 0xcf, "Emerald Rapids (Raptor Cove)"},
    {6, 0xad, 0xae, "Granite Rapids (Redwood Cove)"},
    {6, 0xaf, 0xaf, "Sierra Forest (Crestmont)"},
    {6, 0xb6, 0xb6, "Grand Ridge (Crestmont)"},
    {6, 0x57, 0x57, "Knights Landing"},
    {6, 0x85, 0x85, "Knights Mill"},
    {6, 0x37, 0x37, "Silvermont"},
    {6, 0x4a, 0x4a, "Silvermont"},
    {6, 0x4d, 0x4d, "Silvermont"},
    {6, 0x4c, 0x4c, "Airmont"},
    {6, 0x5c, 0x5c, "Goldmont"},
    {6, 0x5f, 0x5f, "Goldmont"},
    {6, 0x7a, 0x7a, "Goldmont Plus"},
    {6, 0x86, 0x86, "Tremont"},
    {6, 0x96, 0x96, "Tremont"},
    {6, 0x9c, 0x9c, "Tremont"},
    {6, 0xbe, 0xbe, "Gracemont"},
};

static const x86_row amd[] = {
    {0x10, 0x00, 0xff, "K10"},
    {0x15, 0x00, 0x01, "Bulldozer"},
    {0x15, 0x02, 0x02, "Piledriver"},
    {0x15, 0x10, 0x1f, "Piledriver"},
    {0x15, 0x30, 0x3f, "Steamroller"},
    {0x15, 0x60, 0x7f, "Excavator"},
    {0x16, 0x00, 0x0f, "Jaguar"},
    {0x16, 0x30, 0x3f, "Puma"},
    {0x17, 0x01, 0x01, "Zen (Naples, Summit Ridge)"},
    {0x17, 0x08, 0x08, "Zen+ (Pinnacle Ridge)"},
    {0x17, 0x11, 0x11, "Zen (Raven Ridge)"},
    {0x17, 0x18, 0x18, "Zen+ (Picasso)"},
    {0x17, 0x20, 0x20, "Zen (Dali)"},
    {0x17, 0x30, 0x3f, "Zen 2 (Rome)"},
    {0x17, 0x60, 0x6f, "Zen 2 (Renoir, Lucienne)"},
    {0x17, 0x70, 0x7f, "Zen 2 (Matisse)"},
    {0x17, 0x90, 0x9f, "Zen 2 (Van Gogh)"},
    {0x17, 0xa0, 0xaf, "Zen 2 (Mendocino)"},
    {0x18, 0x00, 0xff, "Dhyana (Zen)"},
    {0x19, 0x00, 0x0f, "Zen 3 (Milan)"},
    {0x19, 0x10, 0x1f, "Zen 4 (Genoa)"},
    {0x19, 0x20, 0x2f, "Zen 3 (Vermeer)"},
    {0x19, 0x40, 0x4f, "Zen 3+ (Rembrandt)"},
    {0x19, 0x50, 0x5f, "Zen 3 (Cezanne)"},
    {0x19, 0x60, 0x6f, "Zen 4 (Raphael)"},
    {0x19, 0x70, 0x7f, "Zen 4 (Phoenix, Hawk Point)"},
    {0x19, 0xa0, 0xaf, "Zen 4c (Bergamo, Siena)"},
    {0x1a, 0x00, 0x0f, "Zen 5 (Turin)"},
    {0x1a, 0x10, 0x1f, "Zen 5c (Turin Dense)"},
    {0x1a, 0x20, 0x2f, "Zen 5 (Strix Point)"},
    {0x1a, 0x40, 0x4f, "Zen 5 (Granite Ridge)"},
    {0x1a, 0x60, 0x6f, "Zen 5 (Krackan Point)"},
    {0x1a, 0x70, 0x7f, "Zen 5 (Strix Halo)"},
};

/* Implementer and part of MIDR_EL1. */
static const struct {
  unsigned implementer, part;
  const char *name;
} arm[] = {
    {0x41, 0xd03, "Cortex-A53"},
    {0x41, 0xd04, "Cortex-A35"},
    {0x41, 0xd05, "Cortex-A55"},
    {0x41, 0xd07, "Cortex-A57"},
    {0x41, 0xd08, "Cortex-A72"},
    {0x41, 0xd09, "Cortex-A73"},
    {0x41, 0xd0a, "Cortex-A75"},
    {0x41, 0xd0b, "Cortex-A76"},
    {0x41, 0xd0c, "Neoverse N1"},
    {0x41, 0xd0d, "Cortex-A77"},
    {0x41, 0xd0e, "Cortex-A76AE"},
    {0x41, 0xd40, "Neoverse V1"},
    {0x41, 0xd41, "Cortex-A78"},
    {0x41, 0xd42, "Cortex-A78AE"},
    {0x41, 0xd44, "Cortex-X1"},
    {0x41, 0xd46, "Cortex-A510"},
    {0x41, 0xd47, "Cortex-A710"},
    {0x41, 0xd48, "Cortex-X2"},
    {0x41, 0xd49, "Neoverse N2"},
    {0x41, 0xd4a, "Neoverse E1"},
    {0x41, 0xd4b, "Cortex-A78C"},
    {0x41, 0xd4d, "Cortex-A715"},
    {0x41, 0xd4e, "Cortex-X3"},
    {0x41, 0xd4f, "Neoverse V2"},
    {0x41, 0xd80, "Cortex-A520"},
    {0x41, 0xd81, "Cortex-A720"},
    {0x41, 0xd82, "Cortex-X4"},
    {0x41, 0xd84, "Neoverse V3"},
    {0x41, 0xd85, "Cortex-X925"},
    {0x41, 0xd87, "Cortex-A725"},
    {0x41, 0xd8e, "Neoverse N3"},
    {0x43, 0x0a1, "ThunderX"},
    {0x43, 0x0af, "ThunderX2"},
    {0x46, 0x001, "A64FX"},
    {0x48, 0xd01, "TSV110 (Kunpeng 920)"},
    {0x4e, 0x003, "Denver 2"},
    {0x4e, 0x004, "Carmel"},
    {0x51, 0x001, "Oryon"},
    {0x51, 0xc00, "Falkor"},
    {0x61, 0x022, "Icestorm (M1)"},
    {0x61, 0x023, "Firestorm (M1)"},
    {0x61, 0x024, "Icestorm (M1 Pro)"},
    {0x61, 0x025, "Firestorm (M1 Pro)"},
    {0x61, 0x028, "Icestorm (M1 Max)"},
    {0x61, 0x029, "Firestorm (M1 Max)"},
    {0x61, 0x032, "Blizzard (M2)"},
    {0x61, 0x033, "Avalanche (M2)"},
    {0xc0, 0xac3, "AmpereOne"},
    {0xc0, 0xac4, "AmpereOne A"},
};

static const char *find_row(const x86_row *rows, size_t count, const tern_cpu_id *id) {
  for (size_t i = 0; i < count; i++)
    if (rows[i].family == id->family && id->model >= rows[i].first && id->model <= rows[i].last) return rows[i].name;
  return NULL;
}

/* 06_55H is three generations, told apart by the stepping. */
static const char *skylake_server(unsigned stepping) {
  if (stepping < 5) return "Skylake (server)";
  return stepping < 10 ? "Cascade Lake" : "Cooper Lake";
}

static const char *find_name(const tern_cpu_id *id) {
  if (strcmp(id->vendor, "GenuineIntel") == 0) {
    if (id->family == 6 && id->model == 0x55) return skylake_server(id->stepping);
    return find_row(intel, sizeof intel / sizeof *intel, id);
  }
  if (strcmp(id->vendor, "AuthenticAMD") == 0 || strcmp(id->vendor, "HygonGenuine") == 0)
    return find_row(amd, sizeof amd / sizeof *amd, id);
  for (size_t i = 0; !id->vendor[0] && i < sizeof arm / sizeof *arm; i++)
    if (arm[i].implementer == id->family && arm[i].part == id->model) return arm[i].name;
  return NULL;
}

void tern_cpu_microarchitecture(const tern_cpu_id *id, char *out, size_t size) {
  const char *name = find_name(id);
  if (name)
    snprintf(out, size, "%s", name);
  else if (id->vendor[0])
    snprintf(out, size, "unknown (%s family %u, model %u, stepping %u)", id->vendor, id->family, id->model,
             id->stepping);
  else
    snprintf(out, size, "unknown (implementer 0x%02x, part 0x%03x)", id->family, id->model);
}

/* Adds the name unless it is there. */
static void add_name(const tern_cpu_id *id, char *out, size_t size) {
  char name[96];
  size_t used = strlen(out), length;
  tern_cpu_microarchitecture(id, name, sizeof name);
  length = strlen(name);
  for (const char *at = out; (at = strstr(at, name)); at += length)
    if ((at == out || at[-1] == ' ') && (at[length] == '\0' || at[length] == ',')) return;
  snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
}

void tern_cpu_microarchitectures(const char *cpuinfo, char *out, size_t size) {
  static const struct {
    const char *key, *format;
    size_t offset;
    bool last; /* of a CPU's lines that matter */
  } keys[] = {
      {"vendor_id", ": %15s", offsetof(tern_cpu_id, vendor), false},
      {"cpu family", ": %u", offsetof(tern_cpu_id, family), false},
      {"model\t", ": %u", offsetof(tern_cpu_id, model), false},
      {"stepping", ": %u", offsetof(tern_cpu_id, stepping), true},
      {"CPU implementer", ": %x", offsetof(tern_cpu_id, family), false},
      {"CPU part", ": %x", offsetof(tern_cpu_id, model), true},
  };
  char line[512];
  tern_cpu_id id = {0};
  out[0] = '\0';
  FILE *f = fopen(cpuinfo, "re");
  while (f && fgets(line, sizeof line, f)) {
    const char *colon = strchr(line, ':');
    for (size_t i = 0; colon && i < sizeof keys / sizeof *keys; i++) {
      if (strncmp(line, keys[i].key, strlen(keys[i].key)) != 0) continue;
      if (sscanf(colon, keys[i].format, (char *)&id + keys[i].offset) == 1 && keys[i].last) {
        add_name(&id, out, size);
        id = (tern_cpu_id){0};
      }
    }
  }
  if (f) fclose(f);
}

void tern_cpu_hypervisor(char *out, size_t size) {
  out[0] = '\0';
#if defined(__x86_64__)
  static const struct {
    const char *letters, *name;
  } vendors[] = {{"KVMKVMKVM", "KVM"},           {"Microsoft Hv", "Hyper-V"},
                 {"VMwareVMware", "VMware"},     {"XenVMMXenVMM", "Xen"},
                 {"TCGTCGTCGTCG", "QEMU (TCG)"}, {"VBoxVBoxVBox", "VirtualBox"},
                 {"bhyve bhyve ", "bhyve"},      {" lrpepyh  vr", "Parallels"},
                 {"ACRNACRNACRN", "ACRN"},       {"Linux KVM Hv", "KVM (Hyper-V interface)"}};
  unsigned a, b, c, d;
  char letters[13] = "";
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 31)) return;
  __cpuid(0x40000000, a, b, c, d);
  memcpy(letters, &b, 4);
  memcpy(letters + 4, &c, 4);
  memcpy(letters + 8, &d, 4);
  snprintf(out, size, "%s", letters);
  for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
    if (strcmp(letters, vendors[i].letters) == 0) snprintf(out, size, "%s", vendors[i].name);
#else
  (void)size;
#endif
}
