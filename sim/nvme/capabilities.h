/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What this controller can do, as the fields of Identify Controller say it (NVMe 1.4, 5.15.2.2,
 * figure 247). One function per field, and the only place where its bits are put together, each
 * from where the capability lives: identify_controller.c shows them, commands may ask them.
 */
#ifndef NVME_CAPABILITIES_H
#define NVME_CAPABILITIES_H

#include <stdint.h>

struct ctrl;

uint64_t ctrl_oaes(const struct ctrl *ctrl);    /* asynchronous events that exist */
uint64_t ctrl_ctratt(const struct ctrl *ctrl);  /* controller attributes */
uint64_t ctrl_oacs(const struct ctrl *ctrl);    /* optional admin commands */
uint64_t ctrl_oncs(const struct ctrl *ctrl);    /* optional NVM commands */
uint64_t ctrl_fuses(const struct ctrl *ctrl);   /* fused operations */
uint64_t ctrl_fna(const struct ctrl *ctrl);     /* what Format NVM applies to */
uint64_t ctrl_vwc(const struct ctrl *ctrl);     /* volatile write cache and Flush */
uint64_t ctrl_frmw(const struct ctrl *ctrl);    /* firmware slots */
uint64_t ctrl_fwug(const struct ctrl *ctrl);    /* firmware update granularity, 4 KiB */
uint64_t ctrl_mtfa(const struct ctrl *ctrl);    /* firmware activation, 100 ms */
uint64_t ctrl_edstt(const struct ctrl *ctrl);   /* extended self-test, minutes */
uint64_t ctrl_dsto(const struct ctrl *ctrl);    /* self-test options */
uint64_t ctrl_wctemp(const struct ctrl *ctrl);  /* warning temperature, kelvins */
uint64_t ctrl_cctemp(const struct ctrl *ctrl);  /* critical temperature, kelvins */
uint64_t ctrl_hmpre(const struct ctrl *ctrl);   /* host memory buffer, preferred, 4 KiB; 0: none */
uint64_t ctrl_hmmin(const struct ctrl *ctrl);   /* and the least */
uint64_t ctrl_hmmaxd(const struct ctrl *ctrl);  /* and its extents at most */
uint64_t ctrl_lpa(const struct ctrl *ctrl);     /* log pages */
uint64_t ctrl_awun(const struct ctrl *ctrl);    /* atomic write, blocks, 0's based */
uint64_t ctrl_awupf(const struct ctrl *ctrl);   /* the same across a power loss */
uint64_t ctrl_acwu(const struct ctrl *ctrl);    /* atomic Compare and Write */
uint64_t ctrl_sgls(const struct ctrl *ctrl);    /* SGL support */
uint64_t ctrl_kas(const struct ctrl *ctrl);     /* keep alive granularity, 100 ms; 0: none */
uint64_t ctrl_tnvmcap(const struct ctrl *ctrl); /* bytes; only with Namespace Management */
uint64_t ctrl_unvmcap(const struct ctrl *ctrl);
uint64_t ctrl_crdt(const struct ctrl *ctrl, unsigned index); /* retry delay, 100 ms; index 0..2 */

#endif
