/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rules themselves: what each is called, what kind it is, where it is written, and what to do
 * about a breach. Rows live in rule_*.def, one file for each family (R registers and life, Q queue
 * management, S submission, D data pointers and memory, C completion and interrupts, B shadow
 * doorbells); the code that checks a family lives in judge_*.c. Read by the checker, by `doorbell
 * list rules` and `doorbell explain-rule`, and by scripts/rules_page.py.
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <stddef.h>

enum rule_class {
    RULE_VIOLATION,   /* the specification forbids it, or leaves the result undefined */
    RULE_KNOWLEDGE,   /* it went well, but the host could not know that it would */
    RULE_ORDERING,    /* a fence or cache operation is missing */
    RULE_SEMANTIC,    /* what the caller asked for and what was done differ */
    RULE_PERFORMANCE, /* correct, but it costs: a counter with a limit */
    RULE_MODEL        /* about the controller, not the host: a check of the model on itself */
};

/* RULE(id, class, name, section, text, fix) */
enum rule_id {
#define RULE(id, class, name, section, text, fix) RULE_##id,
#include "rules/rule.def"
#undef RULE
    RULE_COUNT
};

#define RULE_COUNT_MAX 96

struct rule {
    const char *id; /* "S9" */
    enum rule_class class;
    const char *name;    /* a few words */
    const char *section; /* of NVMe 1.4, unless it says otherwise */
    const char *text;    /* a paragraph: what is asked, why, and what goes wrong */
    const char *fix;     /* a paragraph: what to do */
};

const struct rule *rule_get(enum rule_id id);
/* By its id, in either case; RULE_COUNT if there is none. */
enum rule_id rule_find(const char *id);
const char *rule_class_name(enum rule_class class);

#endif
