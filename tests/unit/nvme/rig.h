/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A raw host for tests of the controller: an array as memory, registers written by hand, rings kept
 * by hand. No driver code and none of the controller's headers beyond its public one, so that
 * numbers in tests are a third reading of the specification. Bus addresses start above 4 GiB.
 */
#ifndef TESTS_NVME_RIG_H
#define TESTS_NVME_RIG_H

#include <check.h>

#include "nvme/controller.h"
#include "pcie/record.h"

#define RIG_BASE     UINT64_C(0x100000000)
#define RIG_BYTES    (UINT64_C(8) << 20)
#define RIG_NS       UINT64_C(1000)
#define RIG_US       UINT64_C(1000000)
#define RIG_MS       UINT64_C(1000000000)
#define RIG_ADMIN_SQ (RIG_BASE + 0x0000)
#define RIG_ADMIN_CQ (RIG_BASE + 0x10000)
#define RIG_IO_SQ    (RIG_BASE + 0x20000) /* queue q at + q * 0x4000 */
#define RIG_IO_CQ    (RIG_BASE + 0x60000)
#define RIG_DATA     (RIG_BASE + 0x100000)
#define RIG_LISTS    (RIG_BASE + 0x80000)
#define RIG_STEP     UINT64_C(0x4000)
#define RIG_QUEUES   8u
#define RIG_VECTORS  2048u

struct rig_queue {
    uint64_t sq, cq;
    uint16_t sq_size, cq_size;
    uint16_t qid, cqid;
    uint16_t tail, head; /* next SQE to write, next CQE to look at */
    bool phase;
};

struct rig_params {
    struct ctrl_params ctrl;
    struct media_params media;
    struct link_params link;
    bool tags; /* host offers its memory as tags as well */
    uint16_t admin_size;
    uint32_t cc; /* what rig_enable writes */
};

struct rig {
    struct rig_params params;
    struct engine *engine;
    bool owns_engine;
    struct pcie_port *port;
    struct media *media;
    struct ctrl *ctrl;
    uint8_t *memory;
    struct rig_queue queue[RIG_QUEUES];
    uint32_t messages[RIG_VECTORS]; /* by message data */
    uint64_t message_ps;
    uint64_t msi_address; /* allowed beside those of MSI-X; 0: none */
    bool pin;
    uint32_t pin_rises;
    uint64_t dma_reads, dma_writes;
    uint64_t tag_moves;
};

struct rig_cqe {
    uint32_t dw0;
    uint16_t sqhd, sqid, cid, status; /* status without the phase tag and without DNR */
    bool phase, dnr, more;
    uint8_t retry_delay; /* CRD */
};

struct rig_cmd {
    uint8_t opcode, flags;
    uint16_t cid;
    uint32_t nsid;
    uint64_t prp1, prp2;
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

void rig_defaults(struct rig_params *params); /* emulated link, null media, costs 0 */
void rig_open(struct rig *rig, const struct rig_params *params);
void rig_open_on(struct rig *rig, const struct rig_params *params, struct engine *engine,
                 unsigned index);
void rig_close(struct rig *rig);

uint32_t rig_read32(struct rig *rig, uint64_t offset);
uint64_t rig_read64(struct rig *rig, uint64_t offset);
void rig_write32(struct rig *rig, uint64_t offset, uint32_t value);
void rig_write64(struct rig *rig, uint64_t offset, uint64_t value);

void rig_settle(struct rig *rig); /* until nothing is scheduled */
void rig_for(struct rig *rig, uint64_t ps);
uint64_t rig_now(const struct rig *rig);

uint8_t *rig_at(struct rig *rig, uint64_t bus);
void rig_put64(struct rig *rig, uint64_t bus, uint64_t value);

/* Memory space and bus master on, admin queues set, CC.EN = 1, waits for CSTS.RDY. */
void rig_enable(struct rig *rig);
void rig_setup_admin(struct rig *rig);                   /* all of that but CC */
void rig_msix_enable(struct rig *rig, unsigned vectors); /* vector v sends data v */

/* Writes the entry at the tail without ringing. */
void rig_put(struct rig *rig, unsigned queue, const struct rig_cmd *cmd);
void rig_ring(struct rig *rig, unsigned queue);
/* The next completion if it is there; consumes it without ringing. */
bool rig_take(struct rig *rig, unsigned queue, struct rig_cqe *cqe);
void rig_ring_cq(struct rig *rig, unsigned queue);
/* Put, ring, settle, take (must be there), ring. Returns the status. */
uint16_t rig_do(struct rig *rig, unsigned queue, const struct rig_cmd *cmd, struct rig_cqe *cqe);
uint16_t rig_admin(struct rig *rig, uint8_t opcode, uint32_t nsid, uint32_t cdw10, uint32_t cdw11,
                   uint32_t *dw0);
/* Create CQ and SQ `qid` of these sizes, interrupts on with this vector. */
void rig_create_queue(struct rig *rig, unsigned qid, uint16_t size, uint16_t vector);
uint16_t rig_io(struct rig *rig, uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1,
                uint64_t prp2);
struct ctrl_stats rig_stats(const struct rig *rig);

Suite *suite_registers(void);
Suite *suite_bus(void);
Suite *suite_life(void);
Suite *suite_admin(void);
Suite *suite_abort(void);
Suite *suite_queues(void);
Suite *suite_nvm(void);
Suite *suite_prp(void);
Suite *suite_interrupt(void);
Suite *suite_async(void);
Suite *suite_timing(void);
Suite *suite_records(void);
Suite *suite_hostile(void);
Suite *suite_shutdown(void);
Suite *suite_cache(void);
Suite *suite_features(void);
Suite *suite_feature_data(void);
Suite *suite_host_memory(void);
Suite *suite_keep_alive(void);
Suite *suite_logs(void);
Suite *suite_health(void);
Suite *suite_firmware(void);
Suite *suite_selftest(void);
Suite *suite_claims(void);
Suite *suite_compare(void);
Suite *suite_fault(void);
Suite *suite_fault_controller(void);
Suite *suite_fault_language(void);
Suite *suite_power_loss(void);
Suite *suite_msi(void);
Suite *suite_coalescing(void);
Suite *suite_media_commands(void);
Suite *suite_identify(void);
Suite *suite_namespaces(void);
Suite *suite_nsmgmt(void);
Suite *suite_format(void);
Suite *suite_arbitration(void);
Suite *suite_fetch(void);
Suite *suite_queue_delete(void);
Suite *suite_cid(void);
Suite *suite_shadow(void);
Suite *suite_shadow_life(void);
Suite *suite_shadow_race(void);
Suite *suite_namespace_life(void);
Suite *suite_sgl(void);
Suite *suite_lists(void);
Suite *suite_engines(void);
Suite *suite_paced(void);
Suite *suite_paced_order(void);
Suite *suite_cmb(void);
Suite *suite_pointers_random(void);
Suite *suite_crossings(void);
Suite *suite_no_interrupt_lost(void);
Suite *suite_exactly_once(void);

#endif
