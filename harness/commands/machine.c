/* ternmark machine: facts, usable meters, limits, and what follows for a
 * reproduction here. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/file.h"
#include "harness/command.h"
#include "harness/machine_report.h"
#include "harness/meter_check.h"

typedef struct options {
  bool json, energy_check;
  const char *sysfs_root, *xml;
} options;

enum { KEY_JSON = 256, KEY_SYSFS, KEY_ENERGY, KEY_XML };

static const struct argp_option option_table[] = {
    {"energy-check", KEY_ENERGY, NULL, 0, "Only the energy meters, side by side: idle, one core, all cores", 0},
    {"json", KEY_JSON, NULL, 0, "Print everything as JSON", 0},
    {"sysfs-root", KEY_SYSFS, "DIR", 0, "Where /sys is mounted, for the energy meters (/sys)", 0},
    {"xml", KEY_XML, "FILE", 0, "Write hwloc's topology to FILE, without what names this very machine; measure nothing",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case KEY_JSON:
    o->json = true;
    return 0;
  case KEY_ENERGY:
    o->energy_check = true;
    return 0;
  case KEY_SYSFS:
    o->sysfs_root = arg;
    return 0;
  case KEY_XML:
    o->xml = arg;
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "'%s': no argument is expected", arg);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int write_xml(const char *path, tern_error *e) {
  tern_topology t;
  tern_output *out;
  char *xml;
  if (tern_topology_probe(&t, &xml, e)) return (int)e->status;
  if (!xml) {
    tern_fail(e, TERN_FAILED, "%s: hwloc cannot export the topology", path);
  } else if (tern_output_open(&out, path, e) == 0) {
    fputs(xml, tern_output_stream(out));
    tern_output_commit(out, e);
  }
  free(xml);
  return (int)e->status;
}

static int print_report(const options *o, tern_error *e) {
  tern_machine_report *r = calloc(1, sizeof *r);
  if (!r) return tern_fail(e, TERN_FAILED, "out of memory");
  if (tern_machine_report_gather(r, o->sysfs_root, e)) goto out;
  if (o->json) {
    json_t *all = tern_machine_report_json(r);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
  } else {
    tern_machine_report_text(stdout, r);
  }
  if (fflush(stdout) != 0) tern_fail_errno(e, "standard output");
out:
  tern_machine_report_free(r);
  free(r);
  return (int)e->status;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {
      .options = option_table,
      .parser = parse,
      .doc = "Tells what this machine is, which counters and energy sources really move, how fast memory and cores "
             "are, and what can be reproduced here. Takes some seconds and changes nothing. HWLOC_XMLFILE and "
             "HWLOC_SYNTHETIC show another machine's topology.\vExamples:\n"
             "  ternmark machine\n  ternmark machine --json\n  ternmark machine --xml topology.xml\n"
             "  ternmark machine --energy-check"};
  options o = {0};
  argv[0] = "ternmark machine";
  argp_parse(&parser, argc, argv, 0, NULL, &o);
  if (o.energy_check) return tern_energy_check(stdout, o.sysfs_root, o.json, e);
  if (o.xml) return write_xml(o.xml, e);
  return print_report(&o, e);
}

const tern_command tern_command_machine = {"machine", "what this machine is and what it can show", run};
