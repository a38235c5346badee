/* SPDX-License-Identifier: BSD-2-Clause
 * Closes a reading of a .def file; see config/param.h. */
#undef PARAM
#undef PARAM_ENUM
#undef PARAM_TEXT
#undef PARAM_AS_STRUCT
#undef PARAM_AS_ROWS
#undef PARAM_FIELD_PARAM_TIME
#undef PARAM_FIELD_PARAM_COST
#undef PARAM_FIELD_PARAM_SIZE
#undef PARAM_FIELD_PARAM_RATE
#undef PARAM_FIELD_PARAM_FREQ
#undef PARAM_FIELD_PARAM_COUNT
#undef PARAM_FIELD_PARAM_RATIO
#undef PARAM_FIELD_PARAM_BOOL
