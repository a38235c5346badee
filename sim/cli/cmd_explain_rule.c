/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell explain-rule`: what a rule asks for, why, where it is written, and what to do.
 */
#include "cli/cli.h"

#include <string.h>

#define COLUMNS 78

/* Words, broken into lines. */
static void print_paragraph(const char *text)
{
    size_t column = 0;
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, " ");
        if (column > 0 && column + 1 + length > COLUMNS) {
            putchar('\n');
            column = 0;
        }
        printf("%s%.*s", column == 0 ? "  " : " ", (int)length, at);
        column += length + (column == 0 ? 2 : 1);
        at += length;
        at += strspn(at, " ");
    }
    putchar('\n');
}

static int unknown(const char *id)
{
    cli_complain("explain-rule: no rule '%s'; doorbell list rules shows all", id);
    return CLI_USAGE;
}

static int explain_rule_main(struct cli_settings *settings)
{
    if (settings->arguments.count != 1) {
        cli_complain("explain-rule: name one rule, as S9; doorbell list rules shows all");
        return CLI_USAGE;
    }
    enum rule_id id = rule_find(settings->arguments.items[0]);
    if (id == RULE_COUNT)
        return unknown(settings->arguments.items[0]);
    const struct rule *rule = rule_get(id);
    printf("%s: %s\n  class:   %s\n  section: NVMe 1.4, %s\n\n", rule->id, rule->name,
           rule_class_name(rule->class), rule->section);
    print_paragraph(rule->text);
    printf("\nTo do:\n");
    print_paragraph(rule->fix);
    return CLI_OK;
}

const struct cli_command cli_explain_rule_command = {
    .name = "explain-rule",
    .arguments = "RULE",
    .summary = "what a rule for the host's behaviour asks for, and how to keep it",
    .text = "Prints the rule's kind, the section of the specification, what it asks and why, and\n"
            "what to do about a breach. doorbell list rules shows all.",
    .options = CLI_BIT(CLI_HELP),
    .run = explain_rule_main,
};
