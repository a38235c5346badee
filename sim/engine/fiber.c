/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fibers on ucontext, with the annotations that let AddressSanitizer follow a stack switch; see
 * fiber.h.
 */
#define _GNU_SOURCE
#include "engine/fiber.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__wasm__)

struct fiber *fiber_create(void (*entry)(void *ctx), void *ctx)
{
    (void)entry;
    (void)ctx;
    return NULL;
}
void fiber_destroy(struct fiber *fiber)
{
    (void)fiber;
}
void fiber_enter(struct fiber *fiber)
{
    (void)fiber;
    abort();
}
void fiber_leave(struct fiber *fiber)
{
    (void)fiber;
    abort();
}

#else

#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif

#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define FIBER_STACK_BYTES ((size_t)256 * 1024)

struct fiber {
    ucontext_t own, caller;
    void (*entry)(void *ctx);
    void *ctx;
    char *stack;
#ifdef FIBER_ASAN
    void *own_fake, *caller_fake;
    const void *caller_bottom;
    size_t caller_size;
#endif
};

static void fiber_main(unsigned high, unsigned low)
{
    struct fiber *fiber = (struct fiber *)(((uintptr_t)high << 16 << 16) | low);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(NULL, &fiber->caller_bottom, &fiber->caller_size);
#endif
    fiber->entry(fiber->ctx);
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(NULL, fiber->caller_bottom, fiber->caller_size);
#endif
    setcontext(&fiber->caller);
}

/* Apart from fiber_create(), because nothing that getcontext() could return to twice may live in a
 * local variable. */
static bool fiber_prepare(struct fiber *fiber)
{
    if (getcontext(&fiber->own) != 0)
        return false;
    fiber->own.uc_stack.ss_sp = fiber->stack;
    fiber->own.uc_stack.ss_size = FIBER_STACK_BYTES;
    fiber->own.uc_link = NULL;
    /* makecontext passes ints: the pointer travels in two halves. */
    makecontext(&fiber->own, (void (*)(void))fiber_main, 2,
                (unsigned)((uintptr_t)fiber >> 16 >> 16), (unsigned)(uintptr_t)fiber);
    return true;
}

struct fiber *fiber_create(void (*entry)(void *ctx), void *ctx)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);
    if (fiber == NULL)
        return NULL;
    fiber->entry = entry;
    fiber->ctx = ctx;
    fiber->stack = malloc(FIBER_STACK_BYTES);
    if (fiber->stack != NULL && fiber_prepare(fiber))
        return fiber;
    fiber_destroy(fiber);
    return NULL;
}

void fiber_destroy(struct fiber *fiber)
{
    if (fiber == NULL)
        return;
    free(fiber->stack);
    free(fiber);
}

void fiber_enter(struct fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fiber->caller_fake, fiber->stack, FIBER_STACK_BYTES);
#endif
    swapcontext(&fiber->caller, &fiber->own);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->caller_fake, NULL, NULL);
#endif
}

void fiber_leave(struct fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fiber->own_fake, fiber->caller_bottom, fiber->caller_size);
#endif
    swapcontext(&fiber->own, &fiber->caller);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->own_fake, &fiber->caller_bottom, &fiber->caller_size);
#endif
}

#endif
