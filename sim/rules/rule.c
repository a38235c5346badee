/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of rules; see rule.h.
 */
#include "rules/rule.h"

#include <strings.h>

static const struct rule rules[RULE_COUNT] = {
#define RULE(id, class, name, section, text, fix)                                                  \
    [RULE_##id] = {#id, RULE_##class, name, section, text, fix},
#include "rules/rule.def"
#undef RULE
};

_Static_assert(RULE_COUNT <= RULE_COUNT_MAX, "a verdict has room for every rule");

const struct rule *rule_get(enum rule_id id)
{
    return &rules[id];
}

enum rule_id rule_find(const char *id)
{
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        if (strcasecmp(rules[i].id, id) == 0)
            return (enum rule_id)i;
    }
    return RULE_COUNT;
}

const char *rule_class_name(enum rule_class class)
{
    static const char *const names[] = {
        [RULE_VIOLATION] = "violation",     [RULE_KNOWLEDGE] = "host knowledge",
        [RULE_ORDERING] = "ordering",       [RULE_SEMANTIC] = "semantic",
        [RULE_PERFORMANCE] = "performance", [RULE_MODEL] = "model",
    };
    return names[class];
}
