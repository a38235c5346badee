/* SPDX-License-Identifier: BSD-2-Clause
 * Opens a reading of a .def file; see config/param.h. No include guard: it is meant to be included
 * many times. */
#include "config/param.h"

#ifdef PARAM_AS_STRUCT
#define PARAM_FIELD_PARAM_TIME                          uint64_t
#define PARAM_FIELD_PARAM_COST                          struct param_cost
#define PARAM_FIELD_PARAM_SIZE                          uint64_t
#define PARAM_FIELD_PARAM_RATE                          uint64_t
#define PARAM_FIELD_PARAM_FREQ                          uint64_t
#define PARAM_FIELD_PARAM_COUNT                         uint64_t
#define PARAM_FIELD_PARAM_RATIO                         uint64_t
#define PARAM_FIELD_PARAM_BOOL                          uint64_t
#define PARAM(section, name, kind, def, min, max, text) PARAM_FIELD_PARAM_##kind name;
#define PARAM_ENUM(section, name, def, choices, text)   uint64_t name;
#define PARAM_TEXT(section, name, def, text)            char name[PARAM_TEXT_MAX];
#endif

#ifdef PARAM_AS_ROWS
#define PARAM(section, name, kind, def, min, max, text)                                            \
    {#section, #name, PARAM_##kind, offsetof(PARAM_AS_ROWS, name), def, min, max, NULL, text},
#define PARAM_ENUM(section, name, def, choices, text)                                              \
    {#section, #name, PARAM_ENUM, offsetof(PARAM_AS_ROWS, name), def, NULL, NULL, choices, text},
#define PARAM_TEXT(section, name, def, text)                                                       \
    {#section, #name, PARAM_TEXT, offsetof(PARAM_AS_ROWS, name), def, NULL, NULL, NULL, text},
#endif
