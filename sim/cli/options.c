/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options of all commands, their texts, and the parser; see cli.h. GNU conventions: long names,
 * `--name=value` or `--name value`, single letters for a few, `--` ends them, `-` is standard
 * input.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/text.h"
#include "config/units.h"

#define CHOICES_MAX 80 /* holds the choices of every option, as a list */

struct cli_option {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* NULL: takes none */
    const char *text;
};

static const struct cli_option options[CLI_OPTIONS] = {
    [CLI_DRIVER] = {"driver", 0, "NAME",
                    "driver profile (bench amigadiskbench: repeat it to compare drivers)"},
    [CLI_DRIVE] = {"drive", 0, "NAME",
                   "drive profile: link, controller and medium (bench drive: repeatable)"},
    [CLI_HOST] = {"host", 0, "NAME", "host profile: CPU, caches, memory, operating system"},
    [CLI_SETUP] = {"setup", 0, "NAME", "a whole published machine (default: amiga-pegasos2)"},
    [CLI_PROFILES] = {"profiles", 0, "DIR", "look for profiles there first (several: DIR:DIR)"},
    [CLI_CONFIG] = {"config", 0, "FILE", "read parameters from a file, such as --dump-config made"},
    [CLI_SET] = {"set", 's', "SECTION.KEY=VALUE",
                 "set one parameter; repeatable, the last one wins"},
    [CLI_SEED] = {"seed", 0, "N", "seed of every random stream (default 1)"},
    [CLI_JOBS] = {"jobs", 'j', "N", "worker processes (default: processors); changes no figure"},
    [CLI_SUITE] = {"suite", 0, "NAME",
                   "only this suite, repeatable; all: also those without published figures"},
    [CLI_BLOCK_SIZE] =
        {"block-size", 0, "SIZE",
         "only this block size, as 4096 or 64KiB (bench amigadiskbench: repeatable)"},
    [CLI_CSV] = {"csv", 0, "FILE", "write the results as CSV"},
    [CLI_JSON] = {"json", 0, "FILE", "write the results as JSON"},
    [CLI_TRACE] =
        {"trace", 0, "FILE",
         "write the block requests as fio iolog v3; several runs: FILE with the run's name put in"},
    [CLI_PLOT] = {"plot", 0, "DIR", "draw throughput curves with gnuplot, PNG and SVG"},
    [CLI_PUBLISHED] = {"published", 0, "FILE",
                       "published figures to compare with (default: those that ship)"},
    [CLI_DUMP_CONFIG] = {"dump-config", 0, NULL,
                         "print the resolved configuration with origins, and run nothing"},
    [CLI_PROGRESS] = {"progress", 0, "WHEN", "progress bar: auto (on a terminal), always, never"},
    [CLI_QUIET] = {"quiet", 'q', NULL, "no table on standard output"},
    [CLI_NO_VERIFY] = {"no-verify", 0, NULL,
                       "do not stamp and verify data (for speed measurements)"},
    [CLI_PLAIN] = {"plain", 0, NULL,
                   "hold every byte of data instead of tags; slower, changes no figure"},
    [CLI_DEPTH] =
        {"depth", 0, "N",
         "requests in flight of each CPU (default 32, or its share of driver.slots if that "
         "is less and the driver refuses more)"},
    [CLI_IOS] = {"ios", 0, "N",
                 "number of requests (default 100000; bench drive: of each point, by its size)"},
    [CLI_FOOTPRINT] =
        {"footprint", 0, "SIZE",
         "bytes of the drive that are accessed (default 256 MiB; bench drive: all for a "
         "drive's steady state)"},
    [CLI_CURVE] = {"curve", 0, "NAME",
                   "only this one, repeatable; bench drive: depth, block, link, cliff, datasheet; "
                   "bench driver: cpus, copies, doorbells, overload; all (default)"},
    [CLI_TIMED] = {"timed", 0, NULL,
                   "start no request before its time stamp (default: as fast as they complete)"},
    [CLI_TRIM] =
        {"trim", 0, "WHAT",
         "trim lines of the trace: error (default), skip, zero (Write Zeroes), deallocate"},
    [CLI_REQUEST] = {"request", 0, "N",
                     "which block request, counted from 1 (default: the last of the largest)"},
    [CLI_BASELINE] = {"baseline", 0, "FILE", "figures to compare with (docs/regress.md)"},
    [CLI_UPDATE] = {"update", 0, NULL, "store what comes out as the new baseline"},
    [CLI_JUNIT] = {"junit", 0, "FILE", "write the verdicts as JUnit XML"},
    [CLI_RULES] = {"rules", 0, "MODE",
                   "rules for the host's behaviour: fatal (default), report, off"},
    [CLI_RULES_FILE] = {"rules-file", 0, "FILE",
                        "rules not to be held against the driver: lines of RULE reason"},
    [CLI_HELP] = {"help", 'h', NULL, "show this help"},
};

void cli_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("doorbell: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static bool takes(const struct cli_command *command, unsigned id)
{
    return (command->options >> id & 1u) != 0;
}

/* ---- values ---- */

/* Decimal digits, or 0x and hexadecimal ones; nothing else (strtoull also takes blanks, signs and
 * octal). */
static bool plain_number(const char *text, uint64_t *value)
{
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hexadecimal ? text + 2 : text;
    if (digits[0] == '\0' ||
        digits[strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789")] != '\0')
        return false;
    errno = 0;
    *value = strtoull(digits, NULL, hexadecimal ? 16 : 10);
    return errno == 0;
}

static bool number(const struct cli_option *option, const char *text, uint64_t least, uint64_t most,
                   uint64_t *value)
{
    uint64_t parsed;
    if (!plain_number(text, &parsed) || parsed < least || parsed > most) {
        cli_complain("--%s: '%s' is not a number from %llu to %llu", option->name, text,
                     (unsigned long long)least, (unsigned long long)most);
        return false;
    }
    *value = parsed;
    return true;
}

/* A size with a unit ("64 KiB"), or a bare number of bytes. */
bool cli_size(const char *option, const char *text, uint64_t *value)
{
    if (plain_number(text, value))
        return true;
    struct param_cost parsed_size;
    struct units_fault fault;
    if (units_parse(PARAM_SIZE, text, &parsed_size, &fault)) {
        *value = parsed_size.amount;
        return true;
    }
    cli_complain("--%s: '%s' is not a size; allowed: bytes, or a number with B, kB, KiB, MiB, GiB",
                 option, text);
    return false;
}

static bool choice(const struct cli_option *option, const char *text, const char *const *choices,
                   unsigned *value)
{
    char allowed[CHOICES_MAX] = "";
    struct text_nearest nearest;
    text_nearest_start(&nearest, text);
    for (unsigned i = 0; choices[i] != NULL; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *value = i;
            return true;
        }
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", i > 0 ? ", " : "", choices[i]);
        text_nearest_try(&nearest, choices[i]);
    }
    if (nearest.best != NULL)
        cli_complain("--%s: '%s' is not allowed; allowed: %s; did you mean '%s'?", option->name,
                     text, allowed, nearest.best);
    else
        cli_complain("--%s: '%s' is not allowed; allowed: %s", option->name, text, allowed);
    return false;
}

static bool add(const struct cli_option *option, struct cli_list *list, const char *text)
{
    if (list->count == CLI_LIST_MAX) {
        cli_complain("--%s: given more than %d times", option->name, CLI_LIST_MAX);
        return false;
    }
    list->items[list->count++] = text;
    return true;
}

int cli_refuse(const struct cli_settings *settings, const char *what, uint64_t refused)
{
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        if ((settings->given & refused) >> i & 1u) {
            cli_complain("--%s: %s does not take it", options[i].name, what);
            return CLI_USAGE;
        }
    }
    return CLI_OK;
}

/* Every directory of "a:b:c" must be there: a mistyped one would silently give other profiles. */
static bool directories(const struct cli_option *option, const char *list)
{
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ":");
        char *directory = text_copy_part(at, length);
        bool there = length == 0 || access(directory, R_OK | X_OK) == 0;
        if (!there)
            cli_complain("--%s: cannot read directory %s", option->name, directory);
        free(directory);
        if (!there)
            return false;
        at += length + (at[length] == ':');
    }
    return true;
}

static bool suppressions(const struct cli_option *option, const char *path,
                         struct rules_suppressions **read)
{
    char why[RULES_TEXT_MAX];
    rules_suppressions_free(*read);
    *read = rules_suppressions_read(path, why);
    if (*read == NULL)
        cli_complain("--%s: %s", option->name, why);
    return *read != NULL;
}

static bool cli_store(struct cli_settings *s, unsigned id, const char *text)
{
    s->given |= UINT64_C(1) << id;
    static const char *const whens[] = {"auto", "always", "never", NULL};
    static const char *const modes[] = {"fatal", "report", "off", NULL};
    static const char *const trims[] = {"error", "skip", "zero", "deallocate", NULL};
    const struct cli_option *option = &options[id];
    unsigned chosen = 0;
    bool good = true;
    switch ((enum cli_option_id)id) {
    case CLI_DRIVER:
        return add(option, &s->drivers, text);
    case CLI_SUITE:
        return add(option, &s->suites, text);
    case CLI_BLOCK_SIZE:
        return add(option, &s->block_sizes, text);
    case CLI_SET:
        return add(option, &s->sets, text);
    case CLI_DRIVE:
        s->drive = text;
        return add(option, &s->drives, text);
    case CLI_CURVE:
        return add(option, &s->curves, text);
    case CLI_HOST:
        s->host = text;
        break;
    case CLI_SETUP:
        s->setup = text;
        break;
    case CLI_PROFILES:
        s->profiles = text;
        return directories(option, text);
    case CLI_CONFIG:
        s->config = text;
        break;
    case CLI_CSV:
        s->csv = text;
        break;
    case CLI_JSON:
        s->json = text;
        break;
    case CLI_TRACE:
        s->trace = text;
        break;
    case CLI_PLOT:
        s->plot = text;
        break;
    case CLI_PUBLISHED:
        s->published = text;
        break;
    case CLI_BASELINE:
        s->baseline = text;
        break;
    case CLI_UPDATE:
        s->update = true;
        break;
    case CLI_JUNIT:
        s->junit = text;
        break;
    case CLI_SEED:
        return number(option, text, 0, UINT64_MAX, &s->seed);
    case CLI_JOBS:
        return number(option, text, 1, 256, &s->jobs);
    case CLI_DEPTH:
        return number(option, text, 1, 65534, &s->depth);
    case CLI_IOS:
        return number(option, text, 1, UINT64_C(4000000000), &s->ios);
    case CLI_REQUEST:
        return number(option, text, 1, UINT32_MAX, &s->request);
    case CLI_FOOTPRINT:
        return cli_size(option->name, text, &s->footprint);
    case CLI_PROGRESS:
        good = choice(option, text, whens, &chosen);
        s->progress = (enum progress_mode)chosen;
        return good;
    case CLI_TRIM:
        good = choice(option, text, trims, &chosen);
        s->trim = (enum replay_trim)chosen;
        return good;
    case CLI_RULES:
        good = choice(option, text, modes, &chosen);
        s->rules = (enum rules_mode)chosen;
        return good;
    case CLI_RULES_FILE:
        return suppressions(option, text, &s->suppress);
    case CLI_DUMP_CONFIG:
        s->dump_config = true;
        break;
    case CLI_QUIET:
        s->quiet = true;
        break;
    case CLI_NO_VERIFY:
        s->no_verify = true;
        break;
    case CLI_PLAIN:
        s->plain = true;
        break;
    case CLI_TIMED:
        s->timed = true;
        break;
    case CLI_HELP:
        s->help = true;
        break;
    case CLI_OPTIONS:
        break;
    }
    return true;
}

/* ---- parsing ---- */

static bool unknown(const struct cli_command *command, const char *name, size_t length)
{
    char wanted[TEXT_NAME_MAX];
    struct text_nearest nearest;
    snprintf(wanted, sizeof wanted, "%.*s", (int)length, name);
    text_nearest_start(&nearest, wanted);
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        if (takes(command, i))
            text_nearest_try(&nearest, options[i].name);
        else if (strcmp(options[i].name, wanted) == 0) {
            cli_complain("--%s: %s does not take it; see doorbell help %s", wanted, command->name,
                         command->name);
            return false;
        }
    }
    if (nearest.best != NULL)
        cli_complain("%s: unknown option --%s; did you mean --%s?", command->name, wanted,
                     nearest.best);
    else
        cli_complain("%s: unknown option --%s; see doorbell help %s", command->name, wanted,
                     command->name);
    return false;
}

/* The options that stand in argv[*at]; moves *at over the arguments that they take. */
static bool parse_long(const struct cli_command *command, int argc, char **argv, int *at,
                       struct cli_settings *settings)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        if (!takes(command, i) || strlen(options[i].name) != length ||
            strncmp(options[i].name, name, length) != 0)
            continue;
        if (options[i].argument == NULL) {
            if (equals != NULL) {
                cli_complain("--%s takes no value", options[i].name);
                return false;
            }
            return cli_store(settings, i, NULL);
        }
        if (equals == NULL && *at + 1 >= argc) {
            cli_complain("--%s needs a value: %s", options[i].name, options[i].argument);
            return false;
        }
        return cli_store(settings, i, equals != NULL ? equals + 1 : argv[++*at]);
    }
    return unknown(command, name, length);
}

static bool parse_letters(const struct cli_command *command, int argc, char **argv, int *at,
                          struct cli_settings *settings)
{
    for (const char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
        unsigned i = 0;
        while (i < CLI_OPTIONS && (!takes(command, i) || options[i].letter != *letter))
            i++;
        if (i == CLI_OPTIONS) {
            cli_complain("%s: unknown option -%c; see doorbell help %s", command->name, *letter,
                         command->name);
            return false;
        }
        if (options[i].argument == NULL) {
            if (!cli_store(settings, i, NULL))
                return false;
            continue;
        }
        if (letter[1] != '\0')
            return cli_store(settings, i, letter + 1);
        if (*at + 1 >= argc) {
            cli_complain("-%c needs a value: %s", *letter, options[i].argument);
            return false;
        }
        return cli_store(settings, i, argv[++*at]);
    }
    return true;
}

/* The command line as a shell would take it; what does not fit ends in dots. */
static void write_again(char again[CLI_AGAIN_MAX], int argc, char **argv)
{
    size_t at = (size_t)snprintf(again, CLI_AGAIN_MAX, "doorbell");
    for (int i = 0; i < argc; i++) {
        bool plain =
            argv[i][0] != '\0' && argv[i][strcspn(argv[i], " \t\n\"'$&;|<>()*?`\\")] == '\0';
        int took = snprintf(again + at, CLI_AGAIN_MAX - at, plain ? " %s" : " '%s'", argv[i]);
        if (took < 0 || (size_t)took >= CLI_AGAIN_MAX - at) {
            snprintf(again + CLI_AGAIN_MAX - 5, 5, " ...");
            return;
        }
        at += (size_t)took;
    }
}

int cli_parse(const struct cli_command *command, int argc, char **argv,
              struct cli_settings *settings)
{
    bool no_more = false;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *settings = (struct cli_settings){.seed = 1,
                                      .jobs = processors > 0 ? (uint64_t)processors : 1,
                                      .depth = 32,
                                      .ios = 100000,
                                      .footprint = UINT64_C(256) << 20};
    write_again(settings->again, argc, argv);
    for (int i = 1; i < argc; i++) {
        bool good;
        if (no_more || argv[i][0] != '-' || argv[i][1] == '\0')
            good =
                add(&(const struct cli_option){.name = "argument"}, &settings->arguments, argv[i]);
        else if (strcmp(argv[i], "--") == 0)
            good = no_more = true;
        else if (argv[i][1] == '-')
            good = parse_long(command, argc, argv, &i, settings);
        else
            good = parse_letters(command, argc, argv, &i, settings);
        if (!good)
            return CLI_USAGE;
    }
    return CLI_OK;
}

void cli_print_help(const struct cli_command *command, FILE *file)
{
    fprintf(file, "usage: doorbell %s %s [options]\n\n%s\n\noptions:\n", command->name,
            command->arguments, command->text);
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        if (!takes(command, i))
            continue;
        char left[64];
        char letter[8] = "    ";
        if (options[i].letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", options[i].letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, options[i].name,
                 options[i].argument != NULL ? " " : "",
                 options[i].argument != NULL ? options[i].argument : "");
        fprintf(file, "  %-30s %s\n", left, options[i].text);
    }
}
