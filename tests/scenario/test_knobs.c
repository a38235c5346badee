/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No dead knob: every parameter of the table, changed alone, changes what some run says. What a run
 * says is its result, its error and its event stream; configuration hashes do not count. A
 * parameter without a line here fails the test too.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pcie/record.h"
#include "scenario/by_hand.h"
#include "scenario/by_hand_queues.h"
#include "scenario/fixture.h"
#include "scenario/on_medium.h"

/* Runs that show what a parameter does: machine and workload. */
enum context {
    GEN,          /* this project's driver, PCIe drive, coherent host; 128 KiB writes and reads */
    RANDOM,       /* the same; random 4 KiB reads at depth 32 */
    RANDOM_LARGE, /* the same; random 4 MiB reads */
    FLUSH,        /* the same; writes and flushes */
    A61,          /* published machine, 1.61; 16 KiB writes and reads */
    A65,          /* published machine, 1.65; 16 KiB writes and reads */
    MIXED,        /* the same; mixed suite, 16 KiB */
    SMALL,        /* the same; many small files */
    NAMES,        /* the same; many names */
    CACHED,       /* the same with caches; append 32 KiB */
    CACHED_LARGE, /* the same; append 1 MiB */
    IDENTIFY,     /* the Identify Controller data structure, asked for by hand */
    BY_HAND,      /* the same, and commands that no workload sends (by_hand.c) */
    QUEUES,       /* shadow doorbells, identifiers used twice, a busy queue deleted, by hand */
    POWER_LOSS,   /* what a write without flush leaves on the medium when the power goes */
    FLASH,        /* the medium alone: all operations and three streams on a small, full drive */
    CONTEXTS
};

static const struct {
    const char *setup, *driver, *drive, *host;
    const char *suite;
    uint64_t block_bytes;
} contexts[CONTEXTS] = {
    [GEN] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 131072},
    [RANDOM] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 4096},
    [RANDOM_LARGE] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 4194304},
    [FLUSH] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 4096},
    [A61] = {"amiga-pegasos2", "amiga-1.61", NULL, NULL, NULL, 16384},
    [A65] = {"amiga-pegasos2", "amiga-1.65", NULL, NULL, NULL, 16384},
    [MIXED] = {"amiga-pegasos2", "amiga-1.65", NULL, NULL, "MixedRW", 16384},
    [SMALL] = {"amiga-pegasos2", "amiga-1.65", NULL, NULL, "Sprinter", 4096},
    [NAMES] = {"amiga-pegasos2", "amiga-1.65", NULL, NULL, "Profiler", 0},
    [CACHED] = {"amiga-pegasos2", "amiga-1.65", NULL, "pegasos2-cached", "HeavyLifter", 32768},
    [CACHED_LARGE] = {"amiga-pegasos2", "amiga-1.65", NULL, "pegasos2-cached", "HeavyLifter",
                      1048576},
    [IDENTIFY] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 0},
    [BY_HAND] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 0},
    [QUEUES] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 0},
    [POWER_LOSS] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 0},
    [FLASH] = {NULL, "doorbell", "fixed-latency", "generic", NULL, 0},
};

/* The small drive: superblocks of 192 units. */
#define SMALL_FLASH                                                                                \
    "media.kind=nand;media.precondition=random;media.nand_channels=2;media.nand_ways=1;"           \
    "media.nand_pages=12;ctrl.namespace_size=16 MiB"

/* Two queues that wait for a drive which takes few commands at a time. */
#define SERVED                                                                                     \
    "ctrl.cap_ams=weighted;driver.weighted=yes;ctrl.contexts=4;host.cpus=2;driver.io_queues=2"

static const struct knob {
    const char *key, *value;
    enum context context;
    const char *with; /* both runs have these; separated by ';' */
} knobs[] = {
    /* clang-format off */
    {"driver.admin_depth", "33", GEN, NULL},
    {"driver.io_queues", "2", GEN, NULL},
    {"driver.queue_choice", "first", RANDOM, "host.cpus=2;driver.io_queues=2"},
    {"driver.io_depth", "16", RANDOM, "driver.slots=15"},
    {"driver.slots", "8", RANDOM, NULL},
    {"driver.cid_base", "7", GEN, "driver.cid_generation=no"},
    {"driver.cid_generation", "no", GEN, NULL},
    {"driver.cid", "lowest", RANDOM, NULL},
    {"driver.negotiate_queues", "no", GEN, NULL},
    {"driver.full", "reject", RANDOM, "driver.slots=8"},
    {"driver.bounce_bytes", "4 KiB", A65, NULL},
    {"driver.read_direct_min", "32 KiB", A65, "workload.buffer_alignment=4 KiB"},
    {"driver.read_direct_align", "4 B", A65, NULL},
    {"driver.write_direct_min", "32 KiB", A65, "workload.buffer_alignment=4 KiB"},
    {"driver.write_direct_align", "4 B", A65, NULL},
    {"driver.registered_buffers", "yes", GEN, NULL},
    {"driver.copy", "optimised", A61, NULL},
    {"driver.dma_list", "fresh", A65, "workload.buffer_alignment=4 KiB"},
    {"driver.list_pages", "1", RANDOM_LARGE, "ctrl.mdts=0"},
    {"driver.transfer_cap", "64 KiB", GEN, NULL},
    {"driver.transfer_no_mdts", "64 KiB", GEN, "ctrl.mdts=0"},
    {"driver.split", "serial", GEN, "ctrl.mdts=3"},
    {"driver.split_at_boundary", "yes", GEN, "ctrl.optimal_boundary=100"},
    {"driver.sgl", "by-size", GEN, "ctrl.sgls=dword"},
    {"driver.sgl_min", "256 KiB", GEN, "ctrl.sgls=dword;driver.sgl=by-size"},
    {"driver.ring", "per-command", RANDOM, NULL},
    {"driver.cq_ring", "per-entry", RANDOM, NULL},
    {"driver.shadow_doorbells", "no", RANDOM, "ctrl.shadow_doorbells=yes"},
    {"driver.drain_most", "1", RANDOM, NULL},
    {"driver.coalescing", "fixed", RANDOM, "driver.coalescing_entries=7;driver.coalescing_time=100 us"},
    {"driver.coalescing_entries", "3", RANDOM, "driver.coalescing=fixed;driver.coalescing_time=100 us"},
    {"driver.coalescing_time", "200 us", RANDOM, "driver.coalescing=fixed;driver.coalescing_entries=40"},
    {"driver.completion", "poll", GEN, NULL},
    {"driver.irq", "intx", GEN, NULL},
    {"driver.deferred", "yes", GEN, NULL},
    {"driver.stepper", "any", RANDOM, "host.cpus=2;driver.io_timeout=4 ms"},
    {"driver.poll_unmasks", "no", A65, NULL},
    {"driver.hybrid_spins", "16", A65, NULL},
    {"driver.hybrid_sleep", "yes", GEN, "driver.completion=poll"},
    {"driver.aer_count", "0", GEN, NULL},
    {"driver.host_memory", "1 MiB", GEN, "ctrl.hmb_preferred=2 MiB"},
    {"driver.host_behavior", "yes", GEN, "ctrl.retry_delay1=100 ms"},
    {"driver.weighted", "yes", GEN, "ctrl.cap_ams=weighted"},
    {"driver.priorities", "urgent, low", RANDOM, SERVED},
    {"driver.arbitration_burst", "0", RANDOM, SERVED ";driver.weight_low=64"},
    {"driver.weight_high", "3", RANDOM, SERVED ";driver.priorities=high,low"},
    {"driver.weight_medium", "3", RANDOM, SERVED ";driver.priorities=medium,low"},
    {"driver.weight_low", "3", RANDOM, SERVED ";driver.priorities=high,low"},
    {"driver.admin_requests", "1", GEN, NULL},
    {"driver.flush_always", "yes", FLUSH, "ctrl.vwc=no;driver.completion=poll"},
    {"driver.delete_queues", "no", GEN, NULL},
    {"driver.retries", "1", GEN, "ctrl.faults=opcode=read nth=3 : status 0x281"},
    {"driver.io_timeout", "10 ms", GEN, "ctrl.faults=opcode=read nth=3 : lose"},
    {"driver.late", "reset", GEN, "driver.io_timeout=10 ms;ctrl.faults=opcode=read nth=3 : slow 1s"},
    {"driver.abort_timeout", "1 ms", GEN,
     "driver.io_timeout=10 ms;ctrl.faults=opcode=read nth=3 : lose"},
    {"driver.recovery", "reset", GEN, "ctrl.faults=opcode=read nth=3 : cfs"},
    {"driver.reset_limit", "1", GEN,
     "driver.io_timeout=10 ms;driver.late=reset;driver.recovery=reset;driver.after_reset=reissue;"
     "ctrl.faults=opcode=read lba=0-7 : stuck"},
    {"driver.after_reset", "reissue", GEN,
     "driver.recovery=reset;ctrl.faults=opcode=read nth=3 : cfs"},
    {"driver.admin_timeout", "1 ms", GEN, "ctrl.decode=1 ms"},
    {"driver.shutdown_timeout", "1 ms", GEN, NULL},
    {"link.kind", "emulated", GEN, NULL},
    {"link.detail", "tlp", GEN, NULL},
    {"link.generation", "1", GEN, NULL},
    {"link.lanes", "1", GEN, NULL},
    {"link.max_payload", "128 B", GEN, NULL},
    {"link.max_read_request", "128 B", GEN, "link.tags=4"},
    {"link.completion_payload", "256 B", GEN, NULL},
    {"link.completion_boundary", "128 B", GEN, NULL},
    {"link.tags", "2", GEN, NULL},
    {"link.propagation", "151 ns", GEN, NULL},
    {"link.memory_latency", "121 ns", GEN, NULL},
    {"link.packet_overhead", "25 B", GEN, NULL},
    {"link.completion_overhead", "21 B", GEN, NULL},
    {"link.ecrc", "yes", GEN, NULL},
    {"link.flow_overhead", "10 %", GEN, NULL},
    {"link.dllp_bytes", "9 B", GEN, "link.ack_every=1"},
    {"link.ack_every", "1", GEN, NULL},
    {"link.update_every", "1", GEN, NULL},
    {"link.posted_headers", "2", GEN, NULL},
    {"link.posted_data", "16", GEN, NULL},
    {"link.nonposted_headers", "1", GEN, NULL},
    {"link.completion_headers", "2", GEN, NULL},
    {"link.completion_data", "4", GEN, NULL},
    {"link.credit_return", "100 ns", GEN, "link.posted_headers=2"},
    {"ctrl.vendor_id", "1", GEN, NULL},
    {"ctrl.device_id", "1", GEN, NULL},
    {"ctrl.subsystem_vendor_id", "1", GEN, NULL},
    {"ctrl.subsystem_id", "1", GEN, NULL},
    {"ctrl.serial", "other", GEN, NULL},
    {"ctrl.model", "other", GEN, NULL},
    {"ctrl.firmware", "other", GEN, NULL},
    {"ctrl.version", "1.3", GEN, NULL},
    {"ctrl.cap_mqes", "15", RANDOM, NULL},
    {"ctrl.cap_cqr", "no", GEN, NULL},
    {"ctrl.cap_to", "16", GEN, NULL},
    {"ctrl.cap_dstrd", "2", GEN, NULL},
    {"ctrl.cap_nssrs", "yes", GEN, NULL},
    {"ctrl.cap_css", "nvm-and-admin-only", GEN, NULL},
    {"ctrl.cap_mpsmin", "1", GEN, NULL},
    {"ctrl.cap_mpsmax", "0", GEN, NULL},
    {"ctrl.mdts", "3", GEN, NULL},
    {"ctrl.acl", "0", IDENTIFY, NULL},
    {"ctrl.aerl", "0", GEN, "driver.aer_count=4"},
    {"ctrl.more_namespaces", "1 GiB/4096", IDENTIFY, NULL},
    {"ctrl.optimal_boundary", "100", GEN, "driver.split_at_boundary=yes"},
    {"ctrl.namespaces_max", "2", IDENTIFY, NULL},
    {"ctrl.capacity", "32 GiB", IDENTIFY, "ctrl.oacs_ns_management=yes"},
    {"ctrl.namespace_granularity", "2 GiB", IDENTIFY,
     "ctrl.oacs_ns_management=yes;ctrl.namespace_size=3 GiB"},
    {"ctrl.ieee_oui", "0x525400", IDENTIFY, NULL},
    {"ctrl.oacs_ns_management", "yes", IDENTIFY, NULL},
    {"ctrl.ns_management_delay", "2 ms", BY_HAND, "ctrl.oacs_ns_management=yes"},
    {"ctrl.oacs_format", "yes", IDENTIFY, NULL},
    {"ctrl.format_scope", "subsystem", IDENTIFY, "ctrl.oacs_format=yes"},
    {"ctrl.format_delay", "200 ms", BY_HAND, "ctrl.oacs_format=yes"},
    {"ctrl.msi_vectors", "4", BY_HAND, NULL},
    {"ctrl.pm_soft_reset", "no", BY_HAND, NULL},
    {"ctrl.compare", "no", IDENTIFY, NULL},
    {"ctrl.write_uncorrectable", "no", IDENTIFY, NULL},
    {"ctrl.dataset_management", "no", IDENTIFY, NULL},
    {"ctrl.write_zeroes", "no", IDENTIFY, NULL},
    {"ctrl.verify", "no", IDENTIFY, NULL},
    {"ctrl.fused", "no", IDENTIFY, NULL},
    {"ctrl.faults", "nth=3 : status 0x281", GEN, NULL},
    {"ctrl.read_recovery", "60 ms", BY_HAND, NULL},
    {"ctrl.cap_ams", "weighted", GEN, NULL},
    {"ctrl.fetch_engines", "2", RANDOM, "ctrl.fetch_burst=1"},
    {"ctrl.fetch_depth", "1", RANDOM, NULL},
    {"ctrl.fetch_depth_total", "1", RANDOM, NULL},
    {"ctrl.cid_check", "yes", QUEUES, NULL},
    {"ctrl.delete_sq", "abort", QUEUES, NULL},
    {"ctrl.shadow_doorbells", "yes", IDENTIFY, NULL},
    {"ctrl.shadow_policy", "one-behind", QUEUES, "ctrl.shadow_doorbells=yes"},
    {"ctrl.shadow_reread", "no", QUEUES, "ctrl.shadow_doorbells=yes"},
    {"ctrl.shadow_cq_eventidx", "no", QUEUES, "ctrl.shadow_doorbells=yes"},
    {"ctrl.shadow_admin", "no", QUEUES, "ctrl.shadow_doorbells=yes"},
    {"ctrl.shadow_poll", "2 us", QUEUES, "ctrl.shadow_doorbells=yes;ctrl.shadow_policy=never"},
    {"ctrl.shadow_poll_time", "2 ms", QUEUES, "ctrl.shadow_doorbells=yes;ctrl.shadow_policy=never"},
    {"ctrl.shadow_access", "21 ns", QUEUES, "ctrl.shadow_doorbells=yes"},
    {"ctrl.vwc", "no", GEN, NULL},
    {"ctrl.max_io_queues", "1", GEN, "driver.io_queues=2"},
    {"ctrl.msix_vectors", "1", GEN, "driver.io_queues=2"},
    {"ctrl.namespace_size", "8 GiB", GEN, NULL},
    {"ctrl.block_bytes", "4096", A65, NULL},
    {"ctrl.clock", "2 GHz", GEN, "ctrl.decode=1000 cycles"},
    {"ctrl.contexts", "2", RANDOM, NULL},
    {"ctrl.arbitration_burst", "5", IDENTIFY, NULL},
    {"ctrl.fetch_burst", "1", RANDOM, NULL},
    {"ctrl.doorbell_latency", "21 ns", GEN, NULL},
    {"ctrl.fetch_setup", "21 ns", GEN, NULL},
    {"ctrl.decode", "51 ns", GEN, NULL},
    {"ctrl.list_setup", "21 ns", GEN, NULL},
    {"ctrl.dma_setup", "31 ns", GEN, NULL},
    {"ctrl.sgls", "byte", IDENTIFY, NULL},
    {"ctrl.sgl_bit_bucket", "no", IDENTIFY, "ctrl.sgls=byte"},
    {"ctrl.sgl_longer", "no", IDENTIFY, "ctrl.sgls=byte"},
    {"ctrl.sgl_descriptors", "1", BY_HAND, "ctrl.sgls=byte"},
    {"ctrl.list_fetch_bytes", "64 B", GEN, NULL},
    {"ctrl.list_cache_entries", "2", GEN, "ctrl.list_fetch_bytes=64 B"},
    {"ctrl.dma_engines", "2", RANDOM, "ctrl.dma_setup=10 us"},
    {"ctrl.dma_bandwidth", "100 MB/s", GEN, NULL},
    {"ctrl.dma_outstanding", "1", RANDOM, "ctrl.dma_setup=1 us"},
    {"ctrl.cmb_size", "64 KiB", BY_HAND, NULL},
    {"ctrl.cmb_sqs", "no", BY_HAND, "ctrl.cmb_size=64 KiB"},
    {"ctrl.cmb_cqs", "no", BY_HAND, "ctrl.cmb_size=64 KiB"},
    {"ctrl.cmb_lists", "no", BY_HAND, "ctrl.cmb_size=64 KiB"},
    {"ctrl.cmb_rds", "no", BY_HAND, "ctrl.cmb_size=64 KiB"},
    {"ctrl.cmb_wds", "no", BY_HAND, "ctrl.cmb_size=64 KiB"},
    {"ctrl.completion", "31 ns", GEN, NULL},
    {"ctrl.interrupt", "21 ns", GEN, NULL},
    {"ctrl.ready_delay", "6 ms", GEN, NULL},
    {"ctrl.reset_delay", "2 ms", GEN, NULL},
    {"ctrl.shutdown_delay", "3 ms", GEN, NULL},
    {"ctrl.save_features", "no", IDENTIFY, NULL},
    {"ctrl.timestamp", "no", IDENTIFY, NULL},
    {"ctrl.keep_alive", "1 s", IDENTIFY, NULL},
    {"ctrl.retry_delay1", "100 ms", IDENTIFY, NULL},
    {"ctrl.retry_delay2", "100 ms", IDENTIFY, NULL},
    {"ctrl.retry_delay3", "100 ms", IDENTIFY, NULL},
    {"ctrl.hmb_preferred", "64 MiB", IDENTIFY, NULL},
    {"ctrl.hmb_min", "1 MiB", IDENTIFY, "ctrl.hmb_preferred=64 MiB"},
    {"ctrl.hmb_descriptors", "8", IDENTIFY, "ctrl.hmb_preferred=64 MiB"},
    {"ctrl.firmware_slots", "3", IDENTIFY, NULL},
    {"ctrl.firmware_granularity", "8 KiB", IDENTIFY, "ctrl.firmware_slots=3"},
    {"ctrl.firmware_activation", "200 ms", IDENTIFY, "ctrl.firmware_slots=3"},
    {"ctrl.self_test_extended", "120 s", IDENTIFY, NULL},
    {"ctrl.self_test_short", "30 s", BY_HAND, "ctrl.self_test_extended=120 s"},
    {"ctrl.temperature", "300", BY_HAND, NULL},
    {"ctrl.warning_temperature", "340", IDENTIFY, NULL},
    {"ctrl.critical_temperature", "360", IDENTIFY, NULL},
    {"media.kind", "null", GEN, NULL},
    {"media.capacitor", "no", POWER_LOSS, NULL},
    {"media.read_latency", "81 us", GEN, NULL},
    {"media.write_latency", "21 us", GEN, NULL},
    {"media.read_latency_table", "0:80us 100:81us", GEN, NULL},
    {"media.write_latency_table", "0:20us 100:21us", GEN, NULL},
    {"media.flush_latency", "101 us", FLUSH, NULL},
    {"media.units", "2", RANDOM, NULL},
    {"media.read_bandwidth", "1 GB/s", GEN, NULL},
    {"media.write_bandwidth", "1 GB/s", GEN, NULL},
    {"media.hop_latency", "100 us", A65, NULL},
    {"media.workers", "1", RANDOM, "media.kind=page-cache"},
    {"media.cache_read_bandwidth", "1 GB/s", A65, NULL},
    {"media.cache_write_bandwidth", "1 GB/s", A65, NULL},
    {"media.cache_flush_latency", "5 ms", FLUSH, "media.kind=page-cache"},
    {"media.nand_channels", "4", FLASH, SMALL_FLASH},
    {"media.nand_ways", "2", FLASH, SMALL_FLASH},
    {"media.nand_dies", "2", FLASH, SMALL_FLASH},
    {"media.nand_planes", "1", FLASH, SMALL_FLASH},
    {"media.nand_blocks", "40", FLASH, SMALL_FLASH},
    {"media.nand_pages", "24", FLASH, SMALL_FLASH},
    {"media.nand_page_size", "8 KiB", FLASH, SMALL_FLASH},
    {"media.nand_cell", "mlc", FLASH, SMALL_FLASH},
    {"media.nand_read_first", "46 us", FLASH, SMALL_FLASH},
    {"media.nand_read_second", "61 us", FLASH, SMALL_FLASH},
    {"media.nand_read_third", "76 us", FLASH, SMALL_FLASH},
    {"media.nand_read_fourth", "101 us", FLASH, SMALL_FLASH ";media.nand_cell=qlc"},
    {"media.nand_one_shot", "no", FLASH, SMALL_FLASH},
    {"media.nand_program", "701 us", FLASH, SMALL_FLASH},
    {"media.nand_program_first", "251 us", FLASH, SMALL_FLASH ";media.nand_one_shot=no"},
    {"media.nand_program_second", "601 us", FLASH, SMALL_FLASH ";media.nand_one_shot=no"},
    {"media.nand_program_third", "1201 us", FLASH, SMALL_FLASH ";media.nand_one_shot=no"},
    {"media.nand_program_fourth", "2501 us", FLASH, SMALL_FLASH ";media.nand_one_shot=no;media.nand_cell=qlc"},
    {"media.nand_erase", "4 ms", FLASH, SMALL_FLASH},
    {"media.nand_channel_rate", "1 GB/s", FLASH, SMALL_FLASH},
    {"media.nand_command", "301 ns", FLASH, SMALL_FLASH},
    {"media.nand_cached", "no", FLASH, SMALL_FLASH},
    {"media.nand_suspend", "yes", FLASH, SMALL_FLASH},
    {"media.nand_suspend_latency", "21 us", FLASH, SMALL_FLASH ";media.nand_suspend=yes"},
    {"media.nand_defer", "0 ns", FLASH, SMALL_FLASH},
    {"media.buffer_size", "1 MiB", FLASH, SMALL_FLASH},
    {"media.buffer_latency", "5 us", FLASH, SMALL_FLASH},
    {"media.buffer_bandwidth", "5 GB/s", FLASH, SMALL_FLASH},
    {"media.buffer_destage", "watermark", FLASH, SMALL_FLASH},
    {"media.buffer_high", "60 %", FLASH, SMALL_FLASH ";media.buffer_destage=watermark"},
    {"media.buffer_low", "40 %", FLASH, SMALL_FLASH ";media.buffer_destage=watermark"},
    {"media.read_buffer", "4 MiB", FLASH, SMALL_FLASH},
    {"media.read_ahead", "16 KiB", FLASH, SMALL_FLASH ";media.read_buffer=4 MiB"},
    {"media.read_streams", "2", FLASH, SMALL_FLASH ";media.read_buffer=4 MiB"},
    {"media.read_trigger", "4", FLASH, SMALL_FLASH ";media.read_buffer=4 MiB"},
    {"media.ftl_over_provision", "40 %", FLASH, SMALL_FLASH},
    {"media.ftl_gc_policy", "cost-benefit", FLASH, SMALL_FLASH},
    {"media.ftl_gc_low", "4", FLASH, SMALL_FLASH},
    {"media.ftl_separate", "no", FLASH, SMALL_FLASH},
    {"media.ftl_wear_threshold", "1", FLASH, SMALL_FLASH},
    {"media.ftl_trim_latency", "21 us", FLASH, SMALL_FLASH},
    {"media.ftl_map_cache", "4 KiB", FLASH, SMALL_FLASH},
    {"media.ftl_hmb_latency", "3 us", FLASH, SMALL_FLASH ";media.ftl_map_cache=4 KiB"},
    {"media.precondition", "fresh", FLASH, SMALL_FLASH},
    {"host.emulation", "none", A65, NULL},
    {"host.emulation_tick", "100 us", A65, "driver.poll_unmasks=no"},
    {"host.cpu_clock", "2 GHz", GEN, "host.publish=1000 cycles"},
    {"host.cpus", "2", RANDOM, NULL},
    {"host.dma_bits", "32", RANDOM, "driver.bounce_bytes=64 KiB"},
    {"host.memory_base", "0x200000000", GEN, NULL},
    {"host.coherent", "no", GEN, NULL},
    {"host.bounce_memory", "cached", CACHED, NULL},
    {"host.loads_ordered", "no", GEN, NULL},
    {"host.register_write", "2 us", A65, NULL},
    {"host.register_read", "2 us", A65, NULL},
    {"host.entry_build", "3 us", A65, NULL},
    {"host.publish", "200 ns", A65, NULL},
    {"host.entry_look", "100 ns", A65, NULL},
    {"host.entry_consume", "3 us", A65, NULL},
    {"host.read_barrier", "50 ns", GEN, "host.loads_ordered=no"},
    {"host.relax", "2 us", GEN, NULL},
    {"host.spin", "200 ns", A65, "driver.hybrid_spins=16"},
    {"host.map", "20 us", A65, "workload.buffer_alignment=4 KiB"},
    {"host.map_page", "1 us", A65, "workload.buffer_alignment=4 KiB"},
    {"host.unmap", "20 us", A65, "workload.buffer_alignment=4 KiB"},
    {"host.list_alloc", "20 us", A65, "workload.buffer_alignment=4 KiB;driver.dma_list=fresh"},
    {"host.copy_call", "1 us", A65, NULL},
    {"host.copy_byte_cached", "100 MB/s", A61, "host.bounce_memory=cached"},
    {"host.copy_byte_uncached", "100 MB/s", A61, NULL},
    {"host.copy_optimised_cached", "100 MB/s", A65, "host.bounce_memory=cached"},
    {"host.copy_optimised_uncached", "100 MB/s", A65, NULL},
    {"host.fill", "100 MB/s", SMALL, NULL},
    {"host.interrupt_entry", "2 us", GEN, NULL},
    {"host.interrupt_exit", "2 us", GEN, NULL},
    {"host.softirq_entry", "211 ns", RANDOM, "driver.deferred=yes"},
    {"host.softirq_latency", "1 us", RANDOM, "driver.deferred=yes"},
    {"host.ipi", "501 ns", RANDOM, "host.cpus=2;driver.io_queues=2;driver.irq=intx"},
    {"host.lock", "10 ns", RANDOM, NULL},
    {"host.lock_transfer", "51 ns", RANDOM, "host.cpus=2"},
    {"host.idle_exit", "2 us", GEN, NULL},
    {"cache.enabled", "no", CACHED, NULL},
    {"cache.line", "64 B", CACHED, NULL},
    {"cache.l1_size", "16 KiB", CACHED, NULL},
    {"cache.l1_ways", "4", CACHED, NULL},
    {"cache.l2_size", "128 KiB", CACHED_LARGE, NULL},
    {"cache.l2_ways", "4", CACHED, "cache.l2_size=32 KiB;cache.l1_size=1 KiB"},
    {"cache.l2_hit", "100 ns", CACHED, NULL},
    {"cache.miss", "200 ns", CACHED, NULL},
    {"cache.write_back", "200 ns", CACHED_LARGE, NULL},
    {"cache.maintain_call", "1 us", CACHED, "workload.buffer_alignment=4 KiB"},
    {"cache.maintain_dirty", "1 us", CACHED, "workload.buffer_alignment=4 KiB"},
    {"cache.maintain_clean", "1 us", CACHED, "workload.buffer_alignment=4 KiB"},
    {"cache.maintain_absent", "1 us", CACHED_LARGE, NULL},
    {"os.path", "direct", A65, NULL},
    {"os.submit", "1 us", GEN, NULL},
    {"os.complete", "1 us", GEN, NULL},
    {"os.poll_pause", "1 us", GEN, "driver.completion=poll"},
    {"os.begin_io", "3 us", A65, NULL},
    {"os.task_switch", "6 us", A65, NULL},
    {"os.dispatch", "3 us", A65, NULL},
    {"os.check_signals", "1 us", A65, NULL},
    {"os.yield", "1 us", A65, NULL},
    {"os.reply", "3 us", A65, NULL},
    {"fs.block_size", "4 KiB", MIXED, NULL},
    {"fs.metadata_zone", "2 MiB", MIXED, NULL},
    {"fs.call_open", "2 ms", SMALL, NULL},
    {"fs.call_close", "1 ms", SMALL, NULL},
    {"fs.call_read", "1 ms", MIXED, NULL},
    {"fs.call_write", "1 ms", SMALL, NULL},
    {"fs.call_seek", "1 ms", MIXED, NULL},
    {"fs.call_delete", "2 ms", SMALL, NULL},
    {"fs.call_rename", "1 ms", NAMES, NULL},
    {"fs.call_create_dir", "1 ms", NAMES, NULL},
    {"fs.extend_unit", "128 KiB", SMALL, NULL},
    {"fs.extend_cost", "1 ms", SMALL, NULL},
    {"fs.create_writes", "3", SMALL, NULL},
    {"fs.extend_writes", "1", MIXED, NULL},
    {"fs.close_writes", "2", SMALL, NULL},
    {"fs.delete_writes", "3", SMALL, NULL},
    {"fs.rename_writes", "2", NAMES, NULL},
    {"fs.create_dir_writes", "3", NAMES, NULL},
    {"fs.copy_rate", "1 MB/s", MIXED, "fs.block_size=4 KiB"},
    {"workload.passes", "2", SMALL, NULL},
    {"workload.buffer_alignment", "4 KiB", A65, NULL},
    {"workload.append_overhead", "1 ms", CACHED, NULL},
    {"workload.rand", "xoshiro", MIXED, NULL},
    /* clang-format on */
};
#define KNOBS (sizeof knobs / sizeof knobs[0])

/* ---- what a run says ---- */

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *byte = data;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

struct listener {
    struct stream_reader reader;
    uint64_t hash;
};

static void listen(void *ctx, const struct stream_record *r)
{
    struct listener *listener = ctx;
    const uint64_t words[] = {r->time_ps, r->kind, r->a, r->b, r->c, r->d};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        listener->hash = (listener->hash ^ words[i]) * UINT64_C(0x100000001b3);
}

static void listen_begin(void *ctx, struct machine *machine)
{
    struct listener *listener = ctx;
    listener->reader = (struct stream_reader){listen, listener, UINT64_MAX, NULL};
    stream_add(engine_stream(machine_engine(machine)), &listener->reader);
}

/* A trace of writes and reads, with a flush after each write if asked for. */
static int run_trace(const struct run_spec *spec, uint64_t block_bytes, bool flushes,
                     struct result *result, char *message)
{
    enum { REQUESTS = 24 };
    const struct replay_options options = {.buffer_alignment =
                                               (uint32_t)spec->params->workload.buffer_alignment};
    char path[] = "knobs-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "fio version 3 iolog\n0 drive add\n0 drive open\n");
    for (uint64_t i = 0; i < REQUESTS; i++) {
        uint64_t at = i % (REQUESTS / 2) * block_bytes;
        fprintf(file, "0 drive %s %llu %llu\n", i < REQUESTS / 2 ? "write" : "read",
                (unsigned long long)at, (unsigned long long)block_bytes);
        if (flushes)
            fprintf(file, "0 drive sync 0 0\n");
    }
    fprintf(file, "0 drive close\n");
    ck_assert_int_eq(fclose(file), 0);
    int error = run_replay(spec, path, &options, result, message);
    unlink(path);
    return error;
}

static uint64_t say(enum context context, const struct fixture *fixture)
{
    struct listener listener = {.hash = UINT64_C(0xcbf29ce484222325)};
    struct run_spec spec = fixture->spec;
    struct result result;
    char message[RUN_MESSAGE_MAX] = "";
    int error;
    memset(&result, 0, sizeof result);
    spec.observe = listen_begin;
    spec.observe_ctx = &listener;
    const struct run_random_read job = {
        .ios = context == RANDOM ? 2000 : 20,
        .depth = context == RANDOM ? 32 : 2,
        .block_bytes = contexts[context].block_bytes,
        .footprint = UINT64_C(64) << 20,
    };
    if (context == QUEUES)
        return by_hand_queues(&fixture->spec.params->machine);
    if (context == IDENTIFY || context == BY_HAND)
        return by_hand(&fixture->spec.params->machine, context == BY_HAND);
    if (context == POWER_LOSS)
        return on_medium_power_loss(&fixture->spec.params->machine);
    if (context == FLASH)
        return on_medium_overwritten(&fixture->spec.params->machine);
    if (context == RANDOM || context == RANDOM_LARGE)
        error = run_random_read(&spec, &job, &result, message);
    else if (contexts[context].suite == NULL)
        error = run_trace(&spec, contexts[context].block_bytes, context == FLUSH, &result, message);
    else
        error = run_suite(&spec, adb_find(contexts[context].suite), contexts[context].block_bytes,
                          &result, message);
    uint64_t hash = mix(listener.hash, &result, sizeof result);
    hash = mix(hash, &error, sizeof error);
    return mix(hash, message, strlen(message));
}

/* ---- the tests ---- */

static void open_knob(const struct knob *knob, struct fixture *fixture)
{
    char with[512], *rest;
    fixture_open(fixture, contexts[knob->context].setup, contexts[knob->context].driver,
                 contexts[knob->context].drive, contexts[knob->context].host);
    fixture_set(fixture, "workload.passes=1");
    snprintf(with, sizeof with, "%s", knob->with == NULL ? "" : knob->with);
    for (char *one = strtok_r(with, ";", &rest); one != NULL; one = strtok_r(NULL, ";", &rest))
        fixture_set(fixture, one);
}

START_TEST(changing_it_changes_something)
{
    const struct knob *knob = &knobs[_i];
    struct fixture fixture;
    char assignment[128];
    open_knob(knob, &fixture);
    uint64_t before = say(knob->context, &fixture);
    snprintf(assignment, sizeof assignment, "%s=%s", knob->key, knob->value);
    fixture_set(&fixture, assignment);
    ck_assert_msg(before != say(knob->context, &fixture), "%s = %s changes nothing", knob->key,
                  knob->value);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_run_repeats_itself)
{
    struct fixture fixture;
    const struct knob knob = {.context = (enum context)_i};
    open_knob(&knob, &fixture);
    uint64_t once = say(knob.context, &fixture);
    ck_assert_uint_eq(once, say(knob.context, &fixture));
    fixture_close(&fixture);
}
END_TEST

START_TEST(every_parameter_has_a_line)
{
    const struct param_table *table = run_param_table();
    for (size_t g = 0; g < table->count; g++) {
        for (size_t r = 0; r < table->groups[g].count; r++) {
            const struct param_row *row = &table->groups[g].rows[r];
            char key[128];
            bool found = false;
            snprintf(key, sizeof key, "%s.%s", row->section, row->name);
            for (size_t k = 0; k < KNOBS; k++)
                found = found || strcmp(knobs[k].key, key) == 0;
            ck_assert_msg(found, "%s has no line in the table of knobs", key);
        }
    }
}
END_TEST

START_TEST(the_table_is_sound)
{
    struct diag *diag = diag_create();
    bool good = config_table_check(run_param_table(), CONFIG_SECTIONS_IN_ONE_GROUP, diag);
    diag_print(diag, stderr);
    diag_destroy(diag);
    ck_assert(good);
}
END_TEST

Suite *knobs_suite(void);
Suite *knobs_suite(void)
{
    Suite *suite = suite_create("knobs");
    TCase *tcase = tcase_create("no dead knob");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, the_table_is_sound);
    tcase_add_test(tcase, every_parameter_has_a_line);
    tcase_add_loop_test(tcase, a_run_repeats_itself, 0, CONTEXTS);
    tcase_add_loop_test(tcase, changing_it_changes_something, 0, KNOBS);
    suite_add_tcase(suite, tcase);
    return suite;
}
