/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of requests, linked through their `next`: appended at the end, taken from the front. A
 * request is in one list at a time. Included by state.h.
 */
#ifndef NVME_SRC_LIST_H
#define NVME_SRC_LIST_H

#include <nvme/request.h>

struct nvme_list { /* requests, linked through `next` */
    struct nvme_request *first;
    struct nvme_request **last;
};

static inline void list_init(struct nvme_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static inline void list_append(struct nvme_list *list, struct nvme_request *request)
{
    request->next = NULL;
    *list->last = request;
    list->last = &request->next;
}

static inline void list_prepend(struct nvme_list *list, struct nvme_request *request)
{
    request->next = list->first;
    if (!list->first)
        list->last = &request->next;
    list->first = request;
}

static inline struct nvme_request *list_take(struct nvme_list *list)
{
    struct nvme_request *request = list->first;

    if (request) {
        list->first = request->next;
        if (!list->first)
            list->last = &list->first;
    }
    return request;
}

static inline void list_join(struct nvme_list *list, struct nvme_list *tail)
{
    *list->last = tail->first;
    if (tail->first)
        list->last = tail->last;
    list_init(tail);
}

#endif
