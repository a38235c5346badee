/* SPDX-License-Identifier: BSD-2-Clause
 * Rules of injected faults that are refused (nvme/fault.h), and why. */
#include <stdio.h>
#include <string.h>

#include "unit/nvme/rig.h"

static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
}

static const struct {
    const char *rules, *complaint;
} refused[] = {
    {"opcode=read", "rule 1: '': conditions must be followed by ':' and an action"},
    {":", "rule 1: '': an action must follow the ':'"},
    {": explode", "rule 1: 'explode': no such action"},
    {": status", "rule 1: '': needs a number"},
    {": status 0", "rule 1: '0': must be 1 to 2047"},
    {": status 0x800", "rule 1: '0x800': must be 1 to 2047"},
    {": status 1 2", "rule 1: '2': nothing may follow the action"},
    {": lose 5", "rule 1: '5': this action takes no value"},
    {": late", "rule 1: '': needs a time"},
    {": late 5", "rule 1: '5': needs a time"},
    {": lose; ; colour=red : lose", "rule 3: 'colour=red': no such condition"},
    {"opcode=erase : lose", "rule 1: 'opcode=erase': no such opcode"},
    {"opcode=256 : lose", "rule 1: 'opcode=256': must be 0 to 255"},
    {"lba=9-3 : lose", "rule 1: 'lba=9-3': the first block is behind the last"},
    {"lba= : lose", "rule 1: 'lba=': needs one block or two"},
    {"lba=18446744073709551615 : lose", "needs one block or two"},
    {"lba=99999999999999999999 : lose", "needs one block or two"},
    {"nth=99999999999999999999 : lose", "needs a number"},
    {"chance=1/99999999999999999999 : lose", "needs a fraction of at most 1"},
    {"nth=0 : lose", "rule 1: 'nth=0': must be 1 to"},
    {"chance=3/2 : lose", "rule 1: 'chance=3/2': needs a fraction of at most 1"},
    {"chance=1/0 : lose", "needs a fraction of at most 1"},
    {"vector=1 : lose", "vector= goes with drop-interrupt only"},
    {"at=5ms : lose", "at= goes with cfs, link-down and power-loss only"},
    {"at=5ms nth=2 : cfs", "at= stands alone"},
    {"opcode=read : not-ready", "go with actions on commands only"},
    {":lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;:lose;"
     ":lose;:lose",
     "at most 16 rules are allowed"},
};

START_TEST(wrong_rules_are_refused)
{
    const char *why;

    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "%s", refused[_i].rules);
    why = ctrl_params_check(&params.ctrl);
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strncmp(why, "ctrl.faults: ", 13) == 0 &&
                      strstr(why, refused[_i].complaint) != NULL,
                  "%s: %s", refused[_i].rules, why);
}
END_TEST

Suite *suite_fault_language(void)
{
    Suite *suite = suite_create("nvme fault language");
    TCase *tc = tcase_create("language");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, wrong_rules_are_refused, 0, sizeof refused / sizeof refused[0]);
    suite_add_tcase(suite, tc);
    return suite;
}
