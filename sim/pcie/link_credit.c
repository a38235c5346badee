/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Credits of one class in one direction. See link_credit.h.
 */
#include "pcie/link_credit.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

void link_credit_init(struct link_credit *credit, uint64_t headers, uint64_t data)
{
    *credit = (struct link_credit){.headers = headers, .data = data};
    if (headers == 0 && data == 0)
        return;
    /* Without a limit of headers, packets without data are not counted, and the others take at
     * least one data credit each. */
    credit->capacity = (uint32_t)(headers != 0 ? headers : data);
    credit->sent = calloc(credit->capacity, sizeof *credit->sent);
    if (credit->sent == NULL)
        abort();
}

void link_credit_free(struct link_credit *credit)
{
    free(credit->sent);
    credit->sent = NULL;
}

static uint32_t ring_next(const struct link_credit *credit, uint32_t at)
{
    return at + 1 == credit->capacity ? 0 : at + 1;
}

static bool is_short(const struct link_credit *credit, uint32_t count, uint64_t data_out,
                     uint32_t data)
{
    return (credit->headers != 0 && count == credit->headers) ||
           (credit->data != 0 && data_out + data > credit->data);
}

uint64_t link_credit_when(const struct link_credit *credit, uint64_t ready_ps, uint32_t data)
{
    uint32_t at = credit->head, count = credit->count;
    uint64_t data_out = credit->data_out;

    assert(credit->data == 0 || data <= credit->data);
    for (; is_short(credit, count, data_out, data); count--) {
        if (credit->sent[at].back_ps > ready_ps)
            ready_ps = credit->sent[at].back_ps;
        data_out -= credit->sent[at].data;
        at = ring_next(credit, at);
    }
    return ready_ps;
}

uint64_t link_credit_take(struct link_credit *credit, uint64_t ready_ps, uint32_t data)
{
    ready_ps = link_credit_when(credit, ready_ps, data);
    while (is_short(credit, credit->count, credit->data_out, data)) {
        credit->data_out -= credit->sent[credit->head].data;
        credit->head = ring_next(credit, credit->head);
        credit->count--;
    }
    return ready_ps;
}

void link_credit_return(struct link_credit *credit, uint64_t back_ps, uint32_t data)
{
    if (credit->capacity == 0 || (credit->headers == 0 && data == 0))
        return;
    credit->sent[(credit->head + credit->count) % credit->capacity] =
        (struct link_credit_sent){back_ps, data};
    credit->count++;
    credit->data_out += data;
}
