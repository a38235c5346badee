/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the configuration says about namespaces: number 1 by two parameters of its own, the others
 * by the text of ctrl.more_namespaces, "[count x] size/block, ...". Called at creation and when
 * parameters are checked.
 */
#include <string.h>

#include "config/units.h"
#include "nvme/internal.h"

#define NAMESPACE_BYTES_MAX (UINT64_C(16) << 40) /* the limit of ctrl.namespace_size, too */
#define CAPACITY_MAX        (UINT64_C(64) << 40) /* the limit of ctrl.capacity, too */
#define NSID_MAX            4096u                /* the limit of ctrl.namespaces_max */
#define GRANULARITY_UNIT    UINT64_C(4096)       /* places are whole blocks of every format */

#define SYNTAX "ctrl.more_namespaces must be like 4 GiB/4096, 2 x 1 GiB/512: size/512 or size/4096"

/* Longest count, size or block size, blanks around it included. */
#define WORD_MAX 64u

/* The part of the text before the first of these characters, which is passed over, too. */
static bool take_word(const char **at, const char *ends, char word[WORD_MAX], char *end)
{
    size_t length = strcspn(*at, ends);

    if (length >= WORD_MAX)
        return false;
    memcpy(word, *at, length);
    word[length] = '\0';
    *end = (*at)[length];
    *at += *end == '\0' ? length : length + 1;
    return true;
}

static bool is_number(enum param_kind kind, const char *word, uint64_t *number)
{
    struct param_cost value;
    struct units_fault fault;

    if (!units_parse(kind, word, &value, &fault))
        return false;
    *number = value.amount;
    return true;
}

/* One "[count x] size/block"; *end is what stands behind it: a comma or the end of the text. */
static bool take_spec(const char **at, struct namespace_spec *spec, char *end)
{
    char word[WORD_MAX];
    uint64_t number;

    spec->times = 1;
    if (!take_word(at, "x/,", word, end))
        return false;
    if (*end == 'x') {
        if (!is_number(PARAM_COUNT, word, &number) || number == 0 || number > NSID_MAX)
            return false;
        spec->times = (uint32_t)number;
        if (!take_word(at, "/,", word, end))
            return false;
    }
    if (*end != '/' || !is_number(PARAM_SIZE, word, &spec->bytes) ||
        spec->bytes > NAMESPACE_BYTES_MAX)
        return false;
    if (!take_word(at, "/,", word, end) || *end == '/' || !is_number(PARAM_COUNT, word, &number))
        return false;
    for (unsigned format = 0; format < LBA_FORMATS; format++) {
        spec->format = (enum lba_format)format;
        if (number == UINT64_C(1) << lba_format_log2(spec->format))
            return true;
    }
    return false;
}

const char *namespace_specs_read(const struct ctrl_params *params,
                                 struct namespace_spec specs[NAMESPACE_SPECS_MAX], uint32_t *count)
{
    const char *at = params->more_namespaces;
    char end;

    specs[0] = (struct namespace_spec){
        .bytes = params->namespace_size,
        .times = 1,
        .format = params->block_bytes == BLOCK_CHOICE_512 ? LBA_FORMAT_512 : LBA_FORMAT_4096};
    *count = 1;
    if (at[strspn(at, " \t")] == '\0')
        return NULL;
    do {
        struct namespace_spec *spec = &specs[*count];

        if (*count == NAMESPACE_SPECS_MAX)
            return "ctrl.more_namespaces must not have more than 15 entries";
        if (!take_spec(&at, spec, &end))
            return SYNTAX;
        if (spec->bytes == 0 || spec->bytes % (UINT64_C(1) << lba_format_log2(spec->format)) != 0)
            return "ctrl.more_namespaces: a size must be a multiple of its block size, and not 0";
        ++*count;
    } while (end == ',');
    return NULL;
}

uint64_t namespace_media_bytes(const struct ctrl_params *params, uint64_t bytes)
{
    uint64_t granularity = params->namespace_granularity;

    return (bytes + granularity - 1) / granularity * granularity;
}

/* Namespaces and bytes of the medium that all of them need. */
static void add_up(const struct ctrl_params *params, const struct namespace_spec *specs,
                   uint32_t count, uint64_t *namespaces, uint64_t *bytes)
{
    *namespaces = *bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        *namespaces += specs[i].times;
        *bytes += specs[i].times * namespace_media_bytes(params, specs[i].bytes);
    }
}

uint64_t ctrl_params_capacity(const struct ctrl_params *params)
{
    struct namespace_spec specs[NAMESPACE_SPECS_MAX];
    uint64_t namespaces, bytes;
    uint32_t count;

    if (params->capacity != 0 || namespace_specs_read(params, specs, &count) != NULL)
        return params->capacity;
    add_up(params, specs, count, &namespaces, &bytes);
    return bytes;
}

const char *namespace_params_check(const struct ctrl_params *params)
{
    struct namespace_spec specs[NAMESPACE_SPECS_MAX];
    uint64_t namespaces, bytes;
    uint64_t granularity = params->namespace_granularity;
    uint32_t count;
    const char *wrong;

    if (granularity < GRANULARITY_UNIT || (granularity & (granularity - 1)) != 0)
        return "ctrl.namespace_granularity must be a power of two and at least 4 KiB";
    wrong = namespace_specs_read(params, specs, &count);
    if (wrong != NULL)
        return wrong;
    if (specs[0].bytes == 0 ||
        specs[0].bytes % (UINT64_C(1) << lba_format_log2(specs[0].format)) != 0)
        return "ctrl.namespace_size must be a multiple of ctrl.block_bytes";
    add_up(params, specs, count, &namespaces, &bytes);
    if (namespaces > NSID_MAX)
        return "ctrl.more_namespaces must not bring the namespaces to more than 4096";
    if (bytes > CAPACITY_MAX)
        return "ctrl.more_namespaces must not bring the namespaces to more than 64 TiB";
    if (params->namespaces_max != 0 && namespaces > params->namespaces_max)
        return "ctrl.namespaces_max must not be smaller than the number of configured namespaces "
               "(0: as many as that)";
    if (params->capacity % granularity != 0)
        return "ctrl.capacity must be a multiple of ctrl.namespace_granularity";
    if (params->capacity != 0 && bytes > params->capacity)
        return "ctrl.capacity must not be smaller than the configured namespaces, each rounded up "
               "to ctrl.namespace_granularity (0: as much as they need)";
    return NULL;
}
