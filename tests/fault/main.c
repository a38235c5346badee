/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The campaign's command line: which kinds, at which events, under which policies of the driver;
 * then how many runs there were and how each kind ended. See campaign.h and docs/faults.md.
 */
#include "fault/campaign.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: fault_campaign [--all | --stride N] [--policy NAME] [--kind NAME] [--at N] [--seed N]\n"
    "One fault at every event of a mixed workload, by kind, under each policy of the driver.\n"
    "  --all          at every event (the default)\n"
    "  --stride N     at every N-th event\n"
    "  --runs N       a stride by which there are about N runs\n"
    "  --policy NAME  one policy\n"
    "  --kind NAME    one kind of fault\n"
    "  --at N         one event, counted from 1\n"
    "  --seed N       another workload (1)\n";

static struct {
    uint64_t stride, runs, at, seed;
    const char *policy, *kind;
} options = {.stride = 1, .seed = 1};

/* What runs now, for whoever has to say how to see it again. */
static struct {
    const char *policy, *kind;
    uint64_t at;
} now = {"", "", 0};

void campaign_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("fault_campaign: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr,
            "\nagain: fault_campaign --policy %s --kind %s --at %" PRIu64 " --seed %" PRIu64 "\n",
            now.policy, now.kind, now.at, options.seed);
    exit(1);
}

static uint64_t events_of(const struct campaign_kind *kind, const struct campaign_counts *counts)
{
    switch (kind->place) {
    case CAMPAIGN_NOWHERE:
        return 1;
    case CAMPAIGN_IO:
        return counts->io;
    case CAMPAIGN_ADMIN:
        return counts->admin;
    case CAMPAIGN_ENABLE:
        return counts->enables;
    case CAMPAIGN_MESSAGE:
        return counts->messages;
    default:
        return counts->moment_count;
    }
}

static void run_kind(const struct campaign_policy *policy, const struct campaign_kind *kind,
                     const struct campaign_counts *counts, uint64_t ends[ENDS])
{
    uint64_t events = events_of(kind, counts);
    /* At least a few of each. */
    uint64_t stride = events / 4 < options.stride ? events / 4 + 1 : options.stride;

    for (uint64_t at = options.at ? options.at : 1; at <= events; at += stride) {
        bool timed = kind->place == CAMPAIGN_TIME || kind->place == CAMPAIGN_WHILE;
        uint64_t at_ps = timed ? counts->moments[at - 1] : 0;

        now.at = at;
        ends[campaign_run(policy, kind, at, at_ps, options.seed, NULL)]++;
        if (options.at)
            return;
    }
}

static void row(const char *name, const uint64_t ends[ENDS])
{
    uint64_t runs = 0;

    for (unsigned i = 0; i < ENDS; i++)
        runs += ends[i];
    printf("  %-20s %7" PRIu64, name, runs);
    for (unsigned i = 0; i < ENDS; i++)
        printf(" %7" PRIu64, ends[i]);
    printf("\n");
}

static bool wanted(const char *choice, const char *name)
{
    return choice == NULL || strcmp(choice, name) == 0;
}

static uint64_t count_runs(const struct campaign_counts *counts)
{
    uint64_t runs = 0;

    for (unsigned k = 0; k < campaign_kind_count; k++)
        if (wanted(options.kind, campaign_kinds[k].name))
            runs += events_of(&campaign_kinds[k], counts);
    return runs;
}

static void run_policy(const struct campaign_policy *policy, unsigned policies,
                       uint64_t total[ENDS])
{
    struct campaign_counts counts = {0};

    now.policy = policy->name;
    now.kind = campaign_kinds[0].name;
    campaign_run(policy, &campaign_kinds[0], 0, 0, options.seed, &counts);
    if (options.runs)
        options.stride = count_runs(&counts) * policies / options.runs + 1;
    printf("%s: %" PRIu64 " I/O commands, %" PRIu64 " admin commands, %" PRIu64
           " interrupts, %" PRIu64 " moments\n",
           policy->name, counts.io, counts.admin, counts.messages, counts.moment_count);
    printf("  %-20s %7s %7s %7s %7s %7s %7s %7s\n", "fault", "runs", "ok", "retried", "aborted",
           "error", "reset", "failed");
    for (unsigned k = 0; k < campaign_kind_count; k++) {
        uint64_t ends[ENDS] = {0};

        if (!wanted(options.kind, campaign_kinds[k].name))
            continue;
        now.kind = campaign_kinds[k].name;
        run_kind(policy, &campaign_kinds[k], &counts, ends);
        row(campaign_kinds[k].name, ends);
        fflush(stdout);
        for (unsigned i = 0; i < ENDS; i++)
            total[i] += ends[i];
    }
    free(counts.moments);
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0' || *text == '-') {
        fprintf(stderr, "fault_campaign: %s is not a number\n", text);
        exit(2);
    }
    return value;
}

static void refuse(const char *what, const char *name)
{
    fprintf(stderr, "fault_campaign: there is no %s %s\n%s", what, name, usage);
    exit(2);
}

static void parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--all") == 0) {
            options.stride = 1;
            options.runs = 0;
            continue;
        }
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            exit(0);
        }
        if (strcmp(argv[i], "--stride") == 0)
            options.stride = number(value);
        else if (strcmp(argv[i], "--runs") == 0)
            options.runs = number(value);
        else if (strcmp(argv[i], "--at") == 0)
            options.at = number(value);
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = number(value);
        else if (strcmp(argv[i], "--policy") == 0)
            options.policy = value;
        else if (strcmp(argv[i], "--kind") == 0)
            options.kind = value;
        else
            refuse("option", argv[i]);
        i++;
    }
    if (options.stride == 0)
        options.stride = 1;
}

int main(int argc, char **argv)
{
    uint64_t total[ENDS] = {0};
    unsigned policies = 0;
    bool known = options.kind == NULL;

    parse(argc, argv);
    for (unsigned k = 0; k < campaign_kind_count; k++)
        known |= wanted(options.kind, campaign_kinds[k].name);
    if (!known)
        refuse("kind", options.kind);
    for (unsigned i = 0; i < campaign_policy_count; i++)
        policies += wanted(options.policy, campaign_policies[i].name);
    if (policies == 0)
        refuse("policy", options.policy);
    for (unsigned i = 0; i < campaign_policy_count; i++)
        if (wanted(options.policy, campaign_policies[i].name))
            run_policy(&campaign_policies[i], policies, total);
    printf("all:\n");
    row("", total);
    return 0;
}
